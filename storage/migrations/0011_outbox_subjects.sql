-- which alerts and incidents a message tells of, whether it holds one or a whole group
CREATE TABLE outbox_subjects (
    outbox text NOT NULL REFERENCES outbox ON DELETE CASCADE,
    position integer NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (outbox, position)
);
CREATE INDEX outbox_subjects_subject ON outbox_subjects (subject);
INSERT INTO outbox_subjects (outbox, position, subject, kind)
    SELECT id, 0, episode, kind FROM outbox WHERE episode IS NOT NULL;
