-- What happened to the records of a kind in a span of time: boards and reports ask by it.
CREATE INDEX record_log_period ON record_log (kind, at);
