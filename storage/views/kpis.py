"""KPIs of records as SQL: what each counts, and one function of each kind.

``dash.record_kpis_<kind>(from, to, by)`` gives every KPI, by the values of a field where asked.
The function is made again by every migration, so it says what the declarations say.
"""

from dataclasses import dataclass

from psycopg import Connection, sql

from catalog.lifecycle.kpi import Condition, Count, Kpi, Score
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records

PREFIX = "record_kpis_"


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, before ``until``: values, or parameters of a function."""

    since: sql.Composable
    until: sql.Composable


GIVEN = Span(sql.SQL("p_from"), sql.SQL("p_to"))


def counted(record: Record, kpi: Kpi, span: Span, group: sql.Composable) -> sql.Composed:
    """Return the query of (group, counted, met): one row a group of what a KPI counts."""
    return sql.SQL(
        "SELECT {group} AS grouped, count(*) AS counted, count(*) FILTER (WHERE {share}) AS met"
        " FROM {source} WHERE {within} GROUP BY 1"
    ).format(
        group=group,
        share=met(kpi),
        source=source(kpi.of),
        within=within(record, kpi.of, span),
    )


def met(kpi: Kpi) -> sql.Composable:
    """Return what must hold for a counted record to be in the numerator."""
    return _all(kpi.share, kpi.of)


def source(count: Count) -> sql.Composable:
    """Return the relation of what is counted, with the record as ``r``."""
    if count.when == "due":
        return sql.SQL("record_timers t JOIN records r ON r.id = t.record")
    if count.when == "moved":
        return sql.SQL("record_log l JOIN records r ON r.id = l.record")
    return sql.SQL("records r")


def within(record: Record, count: Count, span: Span) -> sql.Composable:
    """Return what must hold for a record to be in the denominator of a span."""
    moment = {
        "opened": sql.SQL("r.opened_at"),
        "moved": sql.SQL("l.at"),
        "due": sql.SQL("t.due_at"),
    }[count.when]
    own = {
        "opened": sql.SQL("TRUE"),
        "moved": _first_of(record, count.name),
        "due": sql.SQL("t.kind = {} AND t.clock = {}").format(record.name, count.name),
    }[count.when]
    return sql.SQL(
        "r.kind = {kind} AND {own} AND {at} >= {since} AND {at} < {until} AND {only}"
    ).format(
        kind=record.name,
        own=own,
        at=moment,
        since=span.since,
        until=span.until,
        only=_all(count.only, count),
    )


def _first_of(record: Record, move: str) -> sql.Composable:
    """Return that a line is the first of this move in its record that was not taken back."""
    return sql.SQL(
        "l.kind = {0} AND l.move = {1} AND {2} AND NOT EXISTS (SELECT FROM record_log e"
        " WHERE e.record = l.record AND e.version < l.version AND e.move = {1} AND {3})"
    ).format(record.name, move, _stands("l"), _stands("e"))


def _stands(line: str) -> sql.Composable:
    return sql.SQL(
        "NOT EXISTS (SELECT FROM record_log u WHERE u.record = {0}.record"
        " AND u.version = {0}.version + 1 AND u.move = 'undo')"
    ).format(sql.Identifier(line))


def _all(conditions: tuple[Condition, ...], count: Count) -> sql.Composable:
    parts = [sql.SQL("coalesce({}, FALSE)").format(_one(c, count)) for c in conditions]
    return sql.SQL(" AND ").join(parts) if parts else sql.SQL("TRUE")


def _one(condition: Condition, count: Count) -> sql.Composable:
    if condition.moved or condition.not_moved:
        made = sql.SQL(
            "EXISTS (SELECT FROM record_log m WHERE m.record = r.id AND m.move = {} AND {})"
        ).format(condition.moved or condition.not_moved, _stands("m"))
        return made if condition.moved else sql.SQL("NOT {}").format(made)
    if clock := condition.in_time or condition.stopped:
        if count.when == "due" and count.name == clock:
            return _of("t", condition)
        return sql.SQL(
            "EXISTS (SELECT FROM record_timers x WHERE x.record = r.id AND x.clock = {}"
            " AND x.round = 1 AND {})"
        ).format(clock, _of("x", condition))
    if condition.field:
        return sql.SQL("r.fields ->> {} = ANY({})").format(condition.field, list(condition.values))
    return sql.SQL("r.state = ANY({})").format(list(condition.states))


def _of(table: str, condition: Condition) -> sql.Composable:
    name = sql.Identifier(table)
    if condition.in_time:
        return sql.SQL("{0}.stopped_at <= {0}.due_at").format(name)
    return sql.SQL("{0}.stopped_at IS NOT NULL").format(name)


def make_functions(conn: Connection) -> None:
    """Make the function of each declared kind anew; drop those of kinds that are no more."""
    wanted = {PREFIX + record.name: record for record in records().values() if record.kpis}
    found = conn.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'dash'::regnamespace"
        " AND starts_with(proname, %s)",
        [PREFIX],
    ).fetchall()
    for (name,) in found:
        if name not in wanted:
            conn.execute(sql.SQL("DROP FUNCTION {}").format(sql.Identifier("dash", name)))
    for name, record in wanted.items():
        body = sql.Literal(_body(record).as_string(conn))
        conn.execute(
            sql.SQL(
                "CREATE OR REPLACE FUNCTION {} (p_from timestamptz, p_to timestamptz,"
                " p_by text DEFAULT '') RETURNS TABLE (kpi text, grouped text, met bigint,"
                " counted bigint, value double precision) LANGUAGE sql STABLE SECURITY DEFINER"
                " SET search_path = public, pg_temp ROWS 20 AS {}"
            ).format(sql.Identifier("dash", name), body)
        )


def _body(record: Record) -> sql.Composable:
    """Return the query of every KPI, one row each and group; scores from the shares."""
    group = sql.SQL("coalesce(r.fields ->> nullif(p_by, ''), '')")
    shares = [
        sql.SQL("SELECT {}::text AS kpi, c.* FROM ({}) c").format(
            kpi.name, counted(record, kpi, GIVEN, group)
        )
        for kpi in record.kpis
        if isinstance(kpi, Kpi)
    ]
    scores = [_score(one) for one in record.kpis if isinstance(one, Score)]
    return sql.SQL(
        "WITH shares AS MATERIALIZED (SELECT s.kpi, s.grouped, s.met, s.counted,"
        " s.met::float8 / nullif(s.counted, 0) AS value FROM ({}) s)"
        " SELECT kpi, grouped, met, counted, value FROM shares {} ORDER BY 2, 1 LIMIT 2000"
    ).format(sql.SQL(" UNION ALL ").join(shares), sql.SQL(" ").join(scores))


def _score(score: Score) -> sql.Composed:
    """Return a weighted sum of shares of a group; absent where one of them is."""
    weighed = sql.SQL(" + ").join(
        sql.SQL("{} * max({}) FILTER (WHERE kpi = {})").format(
            term.weight, sql.SQL("1 - value" if term.rest else "value"), term.kpi
        )
        for term in score.terms
    )
    return sql.SQL(
        "UNION ALL SELECT {}::text, grouped, NULL, NULL, round(({})::numeric, 9)::float8"
        " FROM shares GROUP BY grouped"
    ).format(score.name, weighed)
