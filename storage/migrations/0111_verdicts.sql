-- A person confirms or withdraws an alert in doubt; another signal bears it out.
ALTER TABLE episode_acts DROP CONSTRAINT episode_acts_act_check;
ALTER TABLE episode_acts ADD CHECK (act IN ('ack', 'unack', 'ack_lapsed', 'assign', 'comment',
    'shelve', 'unshelve', 'reset', 'expired', 'ended', 'confirm', 'withdraw', 'borne_out'));
