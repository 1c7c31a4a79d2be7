-- An acknowledgement is of a level: who acknowledged level IV has not acknowledged level I. The
-- level stands beside it; a worse one takes it back, and the timeline keeps both.
ALTER TABLE episodes ADD COLUMN acked_severity smallint CHECK (acked_severity BETWEEN 1 AND 4);
ALTER TABLE incidents ADD COLUMN acked_severity smallint CHECK (acked_severity BETWEEN 1 AND 4);
-- ended: by a person, or because its sensor was retired
ALTER TABLE episode_acts DROP CONSTRAINT episode_acts_act_check;
ALTER TABLE episode_acts ADD CHECK (act IN ('ack', 'unack', 'ack_lapsed', 'assign', 'comment',
    'shelve', 'unshelve', 'reset', 'expired', 'ended'));
-- an acknowledgement that lapsed begins the steps anew; the old ones stay for the record
ALTER TABLE escalations ADD COLUMN superseded boolean NOT NULL DEFAULT false;
ALTER TABLE escalations DROP CONSTRAINT escalations_subject_route_step_key;
CREATE UNIQUE INDEX escalations_step ON escalations (subject, route, step) WHERE NOT superseded;

UPDATE incidents SET acked_severity = severity WHERE acked_at IS NOT NULL;
UPDATE episodes e SET acked_severity = coalesce(
    (SELECT t.severity FROM transitions t WHERE t.episode = e.id AND t.recorded_at <= e.acked_at
     ORDER BY t.recorded_at DESC, t.observed_at DESC LIMIT 1), e.severity)
    WHERE e.acked_at IS NOT NULL;
WITH lapsed AS (
    UPDATE episodes SET acked_at = NULL, acked_by = NULL, ack_note = NULL, acked_severity = NULL
    WHERE cleared_at IS NULL AND severity < acked_severity RETURNING id)
INSERT INTO episode_acts (episode, who, act) SELECT id, 'cityops', 'ack_lapsed' FROM lapsed;
