-- Incidents of one cause in many places lie under one parent; each keeps its own life.
ALTER TABLE incidents ADD COLUMN parent text REFERENCES incidents;
CREATE INDEX incidents_parent ON incidents (parent) WHERE parent IS NOT NULL;
