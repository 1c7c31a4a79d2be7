-- The schema that the writer of a refused frame named: with it the frame can be read once a version
-- is deployed that knows it.
ALTER TABLE dead_letters ADD COLUMN dataschema text NOT NULL DEFAULT '';
