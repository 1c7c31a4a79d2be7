-- the tasks of one incident: asked for with every message about it, and twice a second for open ones
CREATE INDEX records_tasks ON records ((fields ->> 'incident')) WHERE kind = 'task';
