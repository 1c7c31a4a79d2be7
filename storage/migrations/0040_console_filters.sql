-- Filters that people save for the console's lists.
CREATE TABLE console_filters (
    name text NOT NULL REFERENCES console_users ON DELETE CASCADE,
    path text NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 40),
    query text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, path, title)
);
