-- Which log of Kafka a stored offset belongs to, and the record before it: see service/kafka_log.py.
ALTER TABLE consumer_offsets
    ADD COLUMN cluster_id text,
    ADD COLUMN topic_id text,
    ADD COLUMN last_record bigint;
ALTER TABLE checkpoints
    ADD COLUMN cluster_id text,
    ADD COLUMN topic_id text,
    ADD COLUMN last_record bigint,
    -- when the last record was written: what a restored log holds of later is new
    ADD COLUMN last_written_at timestamptz;

-- Where a log did not go on from what was reached, and how that ended.
CREATE TABLE log_breaks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('another', 'shorter', 'rewritten', 'gap')),
    reached bigint NOT NULL,
    found bigint NOT NULL,
    was text NOT NULL,
    became text NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    alerted_at timestamptz,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('new_log', 'back', 'went_on'))
);
CREATE UNIQUE INDEX log_breaks_open ON log_breaks (consumer, topic, partition)
    WHERE ended_at IS NULL;
