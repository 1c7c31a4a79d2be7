"""KPIs computed from the log and the clocks; every number opens the records that it counts."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql
from pydantic import BaseModel

from catalog.errors import InvalidError, NotFoundError
from catalog.lifecycle.kpi import Condition, Count, Kpi, Score
from catalog.lifecycle.record import Record

WHOLE = ""
"""The group of all records, where none is asked for."""
MOST = 1000


class Figure(BaseModel):
    """One KPI of one group: ``value`` is None where there is nothing to count."""

    kpi: str
    group: str
    numerator: int | None
    denominator: int | None
    value: float | None
    target: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` on, before ``until``."""

    since: datetime
    until: datetime


def figures(conn: Connection, record: Record, period: Period, by: str = "") -> list[Figure]:
    """Return every KPI of a record for a period, by the values of one field where asked."""
    if by and record.field(by) is None:
        raise InvalidError(f"{record.name} has no field {by[:60]!r}", "by")
    shares: dict[tuple[str, str], Figure] = {}
    for kpi in record.kpis:
        if isinstance(kpi, Kpi):
            for group, counted, met in _counted(conn, record, kpi, period, by):
                shares[kpi.name, group] = _figure(kpi, group, met, counted)
    groups = sorted({group for _, group in shares}) if by else [WHOLE]
    found: list[Figure] = []
    for group in groups:
        for kpi in record.kpis:
            if isinstance(kpi, Kpi):
                found.append(shares.get((kpi.name, group)) or _figure(kpi, group, 0, 0))
            else:
                found.append(_score(kpi, group, shares))
    return found


def counted_records(
    conn: Connection, record: Record, name: str, period: Period, *, met: bool | None = None
) -> list[int]:
    """Return the ids of what a KPI counts: all, those that meet it, or those that do not."""
    kpi = next((k for k in record.kpis if k.name == name and isinstance(k, Kpi)), None)
    if not isinstance(kpi, Kpi):
        raise NotFoundError(f"{record.name} has no KPI {name[:60]!r} that counts")
    share = _all(kpi.share, kpi.of)
    extra = {None: sql.SQL("TRUE"), True: share, False: sql.SQL("NOT ({})").format(share)}[met]
    query = sql.SQL("SELECT DISTINCT r.id FROM {} WHERE {} AND {} ORDER BY r.id LIMIT {}").format(
        _source(kpi.of), _within(record, kpi.of, period), extra, MOST
    )
    return [row[0] for row in conn.execute(query).fetchall()]


def _counted(
    conn: Connection, record: Record, kpi: Kpi, period: Period, by: str
) -> list[tuple[str, int, int]]:
    group = sql.SQL("coalesce(r.fields ->> {}, '')").format(by) if by else sql.SQL("''")
    query = sql.SQL(
        "SELECT {group}, count(*), count(*) FILTER (WHERE {share}) FROM {source} WHERE {within}"
        " GROUP BY 1"
    ).format(
        group=group,
        share=_all(kpi.share, kpi.of),
        source=_source(kpi.of),
        within=_within(record, kpi.of, period),
    )
    return [(row[0], row[1], row[2]) for row in conn.execute(query).fetchall()]


def _figure(kpi: Kpi, group: str, met: int, counted: int) -> Figure:
    value = met / counted if counted else None
    reached = None
    if value is not None and kpi.target is not None:
        reached = value >= kpi.target if kpi.better == "more" else value <= kpi.target
    return Figure(
        kpi=kpi.name,
        group=group,
        numerator=met,
        denominator=counted,
        value=value,
        target=kpi.target,
        met=reached,
    )


def _score(score: Score, group: str, shares: dict[tuple[str, str], Figure]) -> Figure:
    total: float | None = 0.0
    for term in score.terms:
        figure = shares.get((term.kpi, group))
        value = figure.value if figure else None
        if value is None or total is None:
            total = None
        else:
            total += term.weight * (1 - value if term.rest else value)
    reached = None if total is None or score.target is None else total >= score.target
    return Figure(
        kpi=score.name,
        group=group,
        numerator=None,
        denominator=None,
        value=None if total is None else round(total, 9),
        target=score.target,
        met=reached,
    )


def _source(count: Count) -> sql.Composable:
    if count.when == "due":
        return sql.SQL("records r JOIN record_timers t ON t.record = r.id AND t.clock = {}").format(
            count.name
        )
    if count.when == "moved":
        return sql.SQL(
            "records r JOIN LATERAL (SELECT min(l.at) AS at FROM record_log l"
            " WHERE l.record = r.id AND l.move = {} AND {}) m ON TRUE"
        ).format(count.name, _STANDS)
    return sql.SQL("records r")


_STANDS = sql.SQL(
    "NOT EXISTS (SELECT 1 FROM record_log u WHERE u.record = l.record"
    " AND u.version = l.version + 1 AND u.move = 'undo')"
)
_MOMENT = {
    "opened": sql.SQL("r.opened_at"),
    "moved": sql.SQL("m.at"),
    "due": sql.SQL("t.due_at"),
}


def _within(record: Record, count: Count, period: Period) -> sql.Composable:
    return sql.SQL("r.kind = {} AND {at} >= {} AND {at} < {} AND {}").format(
        record.name,
        period.since,
        period.until,
        _all(count.only, count),
        at=_MOMENT[count.when],
    )


def _all(conditions: tuple[Condition, ...], count: Count) -> sql.Composable:
    parts = [sql.SQL("coalesce({}, FALSE)").format(_one(c, count)) for c in conditions]
    return sql.SQL(" AND ").join(parts) if parts else sql.SQL("TRUE")


def _one(condition: Condition, count: Count) -> sql.Composable:
    if condition.moved or condition.not_moved:
        made = sql.SQL(
            "EXISTS (SELECT 1 FROM record_log l WHERE l.record = r.id AND l.move = {} AND {})"
        ).format(condition.moved or condition.not_moved, _STANDS)
        return made if condition.moved else sql.SQL("NOT {}").format(made)
    if clock := condition.in_time or condition.stopped:
        if count.when == "due" and count.name == clock:
            return _of("t", condition)
        return sql.SQL(
            "EXISTS (SELECT 1 FROM record_timers x WHERE x.record = r.id AND x.clock = {}"
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
