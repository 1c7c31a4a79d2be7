-- A checkpoint is written in parts, so that only those that have changed are written anew. States in
-- the old form cannot be gone on from: the worker works off the log again, with the same outcome.
DELETE FROM checkpoints;
ALTER TABLE checkpoints DROP COLUMN state;

CREATE TABLE checkpoint_parts (
    app text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    part text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (app, topic, partition, part),
    FOREIGN KEY (app, topic, partition) REFERENCES checkpoints ON DELETE CASCADE
);
-- they come compressed
ALTER TABLE checkpoint_parts ALTER COLUMN state SET STORAGE EXTERNAL;
