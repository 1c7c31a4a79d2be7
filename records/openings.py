"""Records that alerts open: asked for with the alert, opened by the loop, each once.

Asking is one insert in the alert's own transaction, so that no fault of a record's declaration can
delay or hide an alert. The end of an alert does not touch the record.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from psycopg import Connection
from psycopg.types.json import Jsonb

from catalog.errors import RefusedError
from catalog.lifecycle.record import FromRule, Record
from catalog.lifecycle.registry import records
from records.act import open_record
from records.context import Context
from records.naming import thing_of_alert

Facts = Mapping[str, str | float | None]
"""What is known of an alert: the names of ``catalog.lifecycle.record.ALERT_FACTS``."""
PIECE = 50


def ask(conn: Connection, facts: Facts) -> int:
    """Ask for the records that an alert opens, in the caller's transaction; return how many."""
    wanted = [record.name for record in records().values() if _rule(record, facts)]
    for kind in wanted:
        conn.execute(
            "INSERT INTO record_openings (kind, facts) VALUES (%s, %s)", [kind, Jsonb(dict(facts))]
        )
    return len(wanted)


def open_asked(context: Context) -> int:
    """Open some of the records that are asked for; one that is refused stays, with the reason."""
    rows = context.conn.execute(
        "SELECT id, kind, facts FROM record_openings WHERE failed IS NULL ORDER BY id LIMIT %s",
        [PIECE],
    ).fetchall()
    for id, kind, facts in rows:
        with context.conn.transaction():
            held = context.conn.execute(
                "SELECT 1 FROM record_openings WHERE id = %s AND failed IS NULL"
                " FOR UPDATE SKIP LOCKED",
                [id],
            ).fetchone()
            if held:
                _open(context, id, kind, facts)
    return len(rows)


def _open(context: Context, id: int, kind: str, facts: Facts) -> None:
    record = records().get(kind)
    rule = _rule(record, facts) if record else None
    if record is None or rule is None:
        _fail(context, id, "no rule of a declared record asks for it any more")
        return
    alert = f"alert:{facts['episode']}"
    try:
        with context.conn.transaction():
            open_record(
                context,
                kind,
                _fields(context, record, rule, facts),
                key=f"alert {facts['episode']}",
                if_near="join",
                links=[("opened_by", alert)],
            )
            context.conn.execute("DELETE FROM record_openings WHERE id = %s", [id])
    except RefusedError as error:
        _fail(context, id, str(error))


def _fail(context: Context, id: int, why: str) -> None:
    context.conn.execute(
        "UPDATE record_openings SET failed = %s, attempts = attempts + 1 WHERE id = %s",
        [why[:500], id],
    )


def _rule(record: Record, facts: Facts) -> FromRule | None:
    name, severity = str(facts["rule"]), int(facts["severity"] or 4)
    return next(
        (
            rule
            for rule in record.opening.rules
            if severity <= rule.worst and any(fnmatchcase(name, p) for p in rule.rules)
        ),
        None,
    )


def _fields(context: Context, record: Record, rule: FromRule, facts: Facts) -> dict[str, object]:
    at = (facts.get("stream"), facts.get("sensor"))
    copied = {
        field: thing_of_alert(context.conn, record, field, *at)
        if fact == "thing"
        else facts.get(fact)
        for field, fact in rule.copied.items()
    }
    return {**rule.fields, **{k: v for k, v in copied.items() if v is not None}}
