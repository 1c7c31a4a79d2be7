-- Early warnings reach receivers once their rule has shown skill: ``on_trial`` says that this one
-- was raised before that. ``withdrawn``: the forecast took it back before the hour that it had
-- named; ``false``: after it. Those of a backtest count for the record and are told to nobody.
ALTER TABLE forecast_warnings
    ADD COLUMN on_trial boolean NOT NULL DEFAULT true,
    ADD COLUMN origin text NOT NULL DEFAULT 'live' CHECK (origin IN ('live', 'backtest')),
    DROP CONSTRAINT forecast_warnings_outcome_check,
    ADD CONSTRAINT forecast_warnings_outcome_check
        CHECK (outcome IN ('open', 'hit', 'false', 'withdrawn', 'miss', 'void'));
CREATE INDEX forecast_warnings_rule ON forecast_warnings (rule, raised_at);
