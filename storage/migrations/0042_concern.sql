-- Who an alert concerns: the city, or those who maintain its sensors. They have lists and receivers apart.
ALTER TABLE episodes ADD COLUMN concern text NOT NULL DEFAULT 'city'
    CHECK (concern IN ('city', 'maintenance'));
UPDATE episodes SET concern = 'maintenance'
WHERE rule NOT LIKE 'external.%' AND (rule LIKE '%.health' OR rule LIKE '%.silent');
CREATE INDEX episodes_open_concern ON episodes (concern, severity) WHERE cleared_at IS NULL;

ALTER TABLE receivers ADD COLUMN concerns text[] NOT NULL DEFAULT '{city}'
    CHECK (concerns <@ ARRAY['city', 'maintenance'] AND concerns <> '{}');
-- whoever was notified of everything goes on so
UPDATE receivers SET concerns = '{city,maintenance}';
