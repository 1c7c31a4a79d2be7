-- How sure an alert is: confirmed, or unconfirmed with what is held against its value; an alert that
-- rested on a value proven wrong is withdrawn, which is an end of its own.
ALTER TABLE transitions
    ADD confidence text NOT NULL DEFAULT 'confirmed' CHECK (confidence IN ('confirmed', 'unconfirmed')),
    ADD reason text NOT NULL DEFAULT '',
    DROP CONSTRAINT transitions_kind_check,
    ADD CHECK (kind IN ('raised', 'changed', 'confirmed', 'withdrawn', 'cleared'));
ALTER TABLE episodes
    ADD confidence text NOT NULL DEFAULT 'confirmed' CHECK (confidence IN ('confirmed', 'unconfirmed')),
    ADD reason text NOT NULL DEFAULT '',
    DROP CONSTRAINT episodes_status_check,
    ADD CHECK (status IN ('active', 'latched', 'cleared', 'withdrawn'));
DROP INDEX episodes_live;
CREATE INDEX episodes_live ON episodes (severity, raised_at DESC) WHERE status IN ('active', 'latched');
