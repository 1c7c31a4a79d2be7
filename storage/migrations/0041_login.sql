-- Tries to log in are counted by the console (by address, account and browser), no longer here:
-- a lock on the account would keep its owner out.
ALTER TABLE console_users DROP COLUMN failures, DROP COLUMN locked_until;

-- A screen on a wall has nobody who would log in again: its sessions do not end. It only looks.
ALTER TABLE console_users ADD COLUMN screen boolean NOT NULL DEFAULT false;
ALTER TABLE console_users ADD CHECK (NOT screen OR role = 'viewer');

-- Browsers from which somebody has logged in: others' failures do not count against them.
CREATE TABLE console_devices (
    token_hash text NOT NULL,
    name text NOT NULL REFERENCES console_users ON DELETE CASCADE,
    address text NOT NULL DEFAULT '',
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token_hash, name)
);
CREATE INDEX console_devices_name ON console_devices (name, address);
