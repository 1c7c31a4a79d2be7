-- The console asks every second for what is new.
CREATE INDEX transitions_recorded ON transitions (recorded_at);
