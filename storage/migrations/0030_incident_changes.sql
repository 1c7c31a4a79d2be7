-- The console asks every second for what is new about incidents.
CREATE INDEX incident_acts_at ON incident_acts (at);
