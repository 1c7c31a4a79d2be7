"""The minutes of facts: closed when all that was accepted of them is stored, added up from rows.

A minute is never counted up and down: whatever changed it, it is added up anew from its rows, in
the transaction that takes its mark. So minutes equal rows, whatever was killed in between.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from catalog.fact.model import Fact, Tally
from storage.facts.books import MinuteOf, minute_of
from storage.facts.tables import facts_table

BATCH = 5_000
MINUTE = timedelta(minutes=1)
GAP = timedelta(minutes=10)
"""After a pause, minutes in which nothing happened are told of for so far back: who was away does
not know whether nothing happened."""
LOCK = 0x66616374  # "fact": one at a time adds up and sends


def close(conn: Connection, fact: Fact, sure: datetime, things: Sequence[str]) -> datetime:
    """Close the minutes that were over ``settle_s`` before ``sure``; return where closed ends.

    All facts accepted before ``sure`` are stored. ``things`` have a minute even when nothing
    happened. The caller owns the transaction.
    """
    until = minute_of(sure - timedelta(seconds=fact.settle_s))
    row = conn.execute(
        "SELECT until FROM fact_closed WHERE kind = %s FOR UPDATE", [fact.name]
    ).fetchone()
    closed = row[0] if row else until
    if row is None or until > closed:
        conn.execute(
            "INSERT INTO fact_closed (kind, until) VALUES (%s, %s)"
            " ON CONFLICT (kind) DO UPDATE SET until = excluded.until",
            [fact.name, until],
        )
        conn.execute(
            "INSERT INTO fact_marks (kind, thing, minute) SELECT %s, thing, minute"
            " FROM generate_series(%s::timestamptz, %s::timestamptz, '1 minute') AS minute,"
            " unnest(%s::text[]) AS thing",
            [fact.name, max(closed, until - GAP), until - MINUTE, list(things)],
        )
    return max(closed, until)


def add_up(conn: Connection, fact: Fact, until: datetime, limit: int = BATCH) -> tuple[int, int]:
    """Add up the closed minutes that have marks; return marks taken and minutes that changed.

    Changed ones get a revision more and lie in the outbox. The caller owns the transaction.
    """
    taken: set[MinuteOf] = set(
        conn.execute(
            "DELETE FROM fact_marks WHERE id IN (SELECT id FROM fact_marks"
            " WHERE kind = %s AND minute < %s ORDER BY minute, id LIMIT %s)"
            " RETURNING thing, minute",
            [fact.name, until, limit],
        ).fetchall()
    )
    if not taken:
        return 0, 0
    wanted = sorted(taken, key=lambda m: (m[1], m[0]))
    keys = [[thing for thing, _ in wanted], [minute for _, minute in wanted]]
    told = _told(conn, fact, keys)
    changed = []
    for row in _sums(conn, fact, keys):
        key = (row.pop("thing"), row.pop("minute"))
        revision, before = told.get(key, (0, None))
        if row != before:
            changed.append((fact.name, *key, revision + 1, Jsonb(row)))
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO fact_minutes (kind, thing, minute, revision, tallies)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (kind, thing, minute) DO UPDATE"
            " SET revision = excluded.revision, tallies = excluded.tallies,"
            " made_at = clock_timestamp()",
            changed,
        )
        cursor.executemany(
            "INSERT INTO fact_outbox (kind, thing, minute, revision, tallies)"
            " VALUES (%s, %s, %s, %s, %s)",
            changed,
        )
    return len(taken), len(changed)


def _told(conn: Connection, fact: Fact, keys: list[Any]) -> dict[MinuteOf, tuple[int, Any]]:
    rows = conn.execute(
        "SELECT thing, minute, revision, tallies FROM fact_minutes JOIN"
        " unnest(%s::text[], %s::timestamptz[]) AS k (thing, minute) USING (thing, minute)"
        " WHERE kind = %s",
        [*keys, fact.name],
    )
    return {(thing, minute): (revision, tallies) for thing, minute, revision, tallies in rows}


def _sums(conn: Connection, fact: Fact, keys: list[Any]) -> list[dict[str, Any]]:
    tallies = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(tally_sql(tally), sql.Identifier(tally.name))
        for tally in fact.tallies
    )
    query = sql.SQL(
        "SELECT k.thing, k.minute, {tallies} FROM unnest(%s::text[], %s::timestamptz[])"
        " AS k (thing, minute) LEFT JOIN {table} f ON f.thing = k.thing AND NOT f.void"
        " AND f.at >= k.minute AND f.at < k.minute + interval '1 minute'"
        " GROUP BY k.thing, k.minute ORDER BY k.minute, k.thing"
    ).format(tallies=tallies, table=sql.Identifier(facts_table(fact.name)))
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, keys).fetchall()


def tally_sql(tally: Tally) -> sql.Composed:
    """Return a tally over rows ``f`` of facts as SQL: a bigint, null where it is missing."""
    tests: list[sql.Composable] = [sql.SQL("f.id IS NOT NULL")]
    for name, values in tally.where.items():
        listed = sql.SQL(", ").join(map(sql.Literal, values))
        tests.append(sql.SQL("f.{} IN ({})").format(sql.Identifier(name), listed))
    if tally.has is not None:
        tests.append(sql.SQL("f.{} IS NOT NULL").format(sql.Identifier(tally.has)))
    if tally.odd is not None:
        tests.append(
            sql.SQL("{} = ANY (string_to_array(f.odd, ','))").format(sql.Literal(tally.odd))
        )
    of = sql.SQL("f.{}").format(sql.Identifier(tally.of or "id"))
    made = {
        "count": sql.SQL("count({of}) FILTER (WHERE {tests})"),
        "sum": sql.SQL("coalesce(sum({of}) FILTER (WHERE {tests}), 0)::bigint"),
        "max": sql.SQL("max({of}) FILTER (WHERE {tests})"),
        "min": sql.SQL("min({of}) FILTER (WHERE {tests})"),
        "p95": sql.SQL("percentile_disc(0.95) WITHIN GROUP (ORDER BY {of}) FILTER (WHERE {tests})"),
    }[tally.kind]
    return made.format(of=of, tests=sql.SQL(" AND ").join(tests))


def take_turn(conn: Connection) -> bool:
    """Tell whether this session may add up and send; at most one may, for as long as it lives."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    return bool(row and row[0])


def drop_old(conn: Connection, fact: Fact, now: datetime, limit: int = 10_000) -> int:
    """Delete what is older than ``keep_days``, in transactions of ``limit`` rows; return how many.

    No fact so old is booked any more (``lateness_s`` is shorter), so what is gone is not counted
    anew, and its minutes and days stay as they were told. ``conn`` is in autocommit.
    """
    cut, gone = now - timedelta(days=fact.keep_days), 0
    table = sql.Identifier(facts_table(fact.name))
    statements: list[tuple[Any, list[Any]]] = [
        (
            sql.SQL(
                "DELETE FROM {0} WHERE (thing, id) IN"
                " (SELECT thing, id FROM {0} WHERE at < %s LIMIT %s)"
            ).format(table),
            [cut, limit],
        ),
        (
            "DELETE FROM fact_history WHERE kind = %s AND at < %s",
            [fact.name, cut],
        ),
        (
            "DELETE FROM fact_minutes WHERE kind = %s AND minute < %s",
            [fact.name, cut],
        ),
    ]
    for statement, values in statements:
        while count := conn.execute(statement, values).rowcount:
            gone += count
            if count < limit:
                break
    return gone
