-- What officers write into the report of a day; what was written stays.
CREATE TABLE console_report_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000)
);
CREATE INDEX console_report_notes_day ON console_report_notes (day, id);
CREATE TRIGGER console_report_notes_append_only BEFORE UPDATE OR DELETE ON console_report_notes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
