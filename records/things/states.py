"""The state of every thing of a kind as one query, made from its declaration; changes noted."""

from psycopg import Connection, sql

from catalog.registry import facts, streams
from catalog.thing.model import Thing, When
from storage.facts.tables import facts_table
from storage.tables import last_table

CHANNEL = "things_changed"
_CHANGE = """
WITH judged AS ({judged}), changed AS (
    UPDATE things t SET state = j.state, since = clock_timestamp()
    FROM judged j WHERE t.kind = {kind} AND t.thing = j.thing AND t.state <> j.state
    RETURNING t.kind, t.thing, t.since, t.state, j.cause
)
INSERT INTO thing_history (kind, thing, at, state, cause) SELECT * FROM changed"""


def note_states(conn: Connection, thing: Thing) -> int:
    """Bring the states of a kind up to date and write down what has changed; return how many.

    One statement: two loops beside each other note a change once.
    """
    query = sql.SQL(_CHANGE).format(judged=_judged(thing), kind=sql.Literal(thing.name))
    changed = conn.execute(query).rowcount
    if changed:
        conn.execute("SELECT pg_notify(%s, %s)", [CHANNEL, thing.name])
    return changed


def _judged(thing: Thing) -> sql.Composed:
    """Return the query of (thing, state, cause)."""
    *others, last = thing.states
    states = [sql.SQL("CASE")] + [
        sql.SQL("WHEN {} THEN {}").format(_any(thing, state.when), sql.Literal(state.name))
        for state in others
    ]
    causes = [sql.SQL("CASE")] + [
        sql.SQL("WHEN {} THEN {}").format(_one(thing, when), sql.Literal(when.cause))
        for state in others
        for when in state.when
    ]
    plain = not others
    return sql.SQL("SELECT t.thing, {} AS state, {} AS cause {} WHERE {}").format(
        sql.Literal(last.name) if plain else _case(states, last.name),
        sql.Literal("") if plain else _case(causes, ""),
        source(thing),
        sql.SQL("t.kind = {} AND t.present").format(sql.Literal(thing.name)),
    )


def _case(parts: list[sql.SQL | sql.Composed], otherwise: str) -> sql.Composed:
    return sql.SQL("{} ELSE {} END").format(sql.SQL(" ").join(parts), sql.Literal(otherwise))


def source(thing: Thing) -> sql.Composable:
    """Return the things ``t``, with the last reading ``l`` of their sensors where they have some.

    A stream or fact that is declared no more is as if nothing of it had come.
    """
    if thing.sensors in streams():
        return sql.SQL("FROM things t LEFT JOIN {} l ON l.sensor = t.sensor").format(
            sql.Identifier(last_table(str(thing.sensors)))
        )
    return sql.SQL("FROM things t")


def _any(thing: Thing, conditions: tuple[When, ...]) -> sql.Composable:
    return sql.SQL(" OR ").join(
        [sql.SQL("coalesce({}, FALSE)").format(_one(thing, when)) for when in conditions]
    )


def _one(thing: Thing, when: When) -> sql.Composable:
    if when.alert:
        pattern = when.alert.replace("\\", "").replace("_", r"\_").replace("*", "%")
        return sql.SQL(
            "EXISTS (SELECT FROM episodes e WHERE e.stream = {} AND e.sensor = t.sensor"
            " AND e.cleared_at IS NULL AND e.rule LIKE {})"
        ).format(sql.Literal(thing.sensors), sql.Literal(pattern))
    if when.fact:
        return _recent(when)
    if when.record:
        return _named(thing, when)
    if thing.sensors not in streams():
        return sql.SQL("FALSE")
    if when.silent_s:
        return sql.SQL(
            "t.sensor <> '' AND coalesce(l.observed_at, '-infinity')"
            " < clock_timestamp() - make_interval(secs => {})"
        ).format(sql.Literal(when.silent_s))
    return sql.SQL("l.{} {} {}").format(
        sql.Identifier(str(when.reading)), sql.SQL(when.op), sql.Literal(when.value)
    )


def _recent(when: When) -> sql.Composable:
    if when.fact not in facts():
        return sql.SQL("FALSE")
    return sql.SQL(
        "EXISTS (SELECT FROM {} f WHERE f.thing = t.thing AND NOT f.void"
        " AND f.at > clock_timestamp() - make_interval(secs => {}))"
    ).format(sql.Identifier(facts_table(str(when.fact))), sql.Literal(when.within_s))


def _named(thing: Thing, when: When) -> sql.Composable:
    """Return that an open record names the thing: by its id, or as ``kind:id``."""
    return sql.SQL(
        "EXISTS (SELECT FROM records r WHERE r.kind = {kind} AND r.closed_at IS NULL"
        " AND (r.fields @> jsonb_build_object({by}, t.thing)"
        " OR r.fields @> jsonb_build_object({by}, {own} || ':' || t.thing))"
        " AND ({states} = '{{}}' OR r.state = ANY({states})) AND (r.overdue OR NOT {overdue}))"
    ).format(
        kind=sql.Literal(when.record),
        by=sql.Literal(when.by),
        own=sql.Literal(thing.name),
        states=sql.SQL("{}::text[]").format(sql.Literal(list(when.states))),
        overdue=sql.Literal(when.overdue),
    )
