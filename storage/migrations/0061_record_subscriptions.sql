-- Steps of records are many: a receiver gets those it has asked for, by type (case.*, *.close).
CREATE TABLE record_subscriptions (
    receiver bigint NOT NULL REFERENCES receivers ON DELETE CASCADE,
    pattern text NOT NULL CHECK (pattern ~ '^[a-z0-9_*?]{1,40}\.[a-z0-9_*?]{1,40}$'),
    PRIMARY KEY (receiver, pattern)
);
