"""A past for records: some of each declared kind in each state, with log and clocks, by SQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg import Connection, connect
from psycopg.types.json import Jsonb

from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.site import site
from tests.support.databases import Databases

OF_A_KIND = 200
SPREAD_S = 60
"""The n-th is n² times as old: some of the last hour, some of the last month."""


def write_records(conn: Connection, now: datetime) -> None:
    """Write records, every third overdue where it has a clock, each with its first move."""
    for record in records().values():
        _write(conn, record, now)


@contextmanager
def city_of_records(databases: Databases, now: datetime) -> Iterator[Connection]:
    """Give a fresh database with such a past."""
    with databases.fresh(migrated=True) as dsn, connect(dsn, autocommit=True) as conn:
        write_records(conn, now)
        yield conn


def _write(conn: Connection, record: Record, now: datetime) -> None:
    states = [state.name for state in record.states]
    given = {
        "kind": record.name,
        "now": now,
        "n": OF_A_KIND,
        "spread": SPREAD_S,
        "states": states,
        "final": [state.name for state in record.states if state.final],
        "fields": Jsonb({f.name: f.choices[0].name for f in record.fields if f.choices}),
        "districts": list(site().districts) if record.located != "not" else [None],
        "moves": [move.name for move in record.moves],
        "initial": record.initial,
        "clocks": [clock.name for clock in record.clocks],
    }
    conn.execute(
        "WITH plan AS (SELECT n, %(now)s - make_interval(secs => %(spread)s * n * n) AS opened,"
        " (%(states)s::text[])[1 + n %% cardinality(%(states)s::text[])] AS state,"
        " (%(districts)s::text[])[1 + n %% cardinality(%(districts)s::text[])] AS district"
        " FROM generate_series(1, %(n)s) n)"
        " INSERT INTO records (kind, state, came_from, version, fields, district, opened_by,"
        " opened_at, changed_at, state_since, closed_at, due_at, overdue)"
        " SELECT %(kind)s, state, %(initial)s, 2, %(fields)s || jsonb_strip_nulls("
        "jsonb_build_object('district', district)), district, 'anna', opened, moved, moved,"
        " CASE WHEN state = ANY(%(final)s) THEN moved END, moved,"
        " n %% 3 = 0 AND state <> ALL(%(final)s) AND cardinality(%(clocks)s::text[]) > 0"
        " FROM plan, LATERAL (SELECT opened + (%(now)s - opened) / 2 AS moved) m",
        given,
    )
    line = (
        "INSERT INTO record_log (record, kind, version, at, actor, role, via, move, from_state,"
        " to_state, changes, clocks) SELECT r.id, r.kind, {version}, {at}, 'anna', 'x', 'api',"
        " {move}, {of}, {to}, '{{}}', '[]' FROM records r WHERE r.kind = %(kind)s ORDER BY r.id"
    )
    opened = {"version": 1, "at": "r.opened_at", "move": "'open'", "of": "''", "to": "%(initial)s"}
    move = "(%(moves)s::text[])[1 + r.id %% cardinality(%(moves)s::text[])]"
    moved = {"version": 2, "at": "r.changed_at", "move": move, "of": "%(initial)s", "to": "r.state"}
    for one in (opened, moved):
        conn.execute(line.format(**one).encode(), given)
    conn.execute(
        "INSERT INTO record_timers (record, kind, clock, round, unit, limit_us, spent_us,"
        " started_at, due_at, stopped_at) SELECT r.id, r.kind, c, 1, 'natural_days', 1, 0,"
        " r.opened_at, r.due_at, CASE WHEN r.id %% 2 = 0 THEN r.due_at END"
        " FROM records r, unnest(%(clocks)s::text[]) c WHERE r.kind = %(kind)s",
        given,
    )
