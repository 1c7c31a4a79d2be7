"""KPIs computed from the log and the clocks; every number opens the records that it counts."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql
from pydantic import BaseModel

from catalog.errors import InvalidError, NotFoundError
from catalog.lifecycle.kpi import Kpi, Score
from catalog.lifecycle.record import Record
from storage.views import kpis

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


def share_by(
    conn: Connection, record: Record, kpi: Kpi, period: Period, by: str
) -> dict[str, Figure]:
    """Return one KPI of each group that has something to count."""
    rows = _counted(conn, record, kpi, period, by)
    return {group: _figure(kpi, group, met, counted) for group, counted, met in rows}


def counted_records(
    conn: Connection, record: Record, name: str, period: Period, *, met: bool | None = None
) -> list[int]:
    """Return the ids of what a KPI counts: all, those that meet it, or those that do not."""
    kpi = next((k for k in record.kpis if k.name == name and isinstance(k, Kpi)), None)
    if not isinstance(kpi, Kpi):
        raise NotFoundError(f"{record.name} has no KPI {name[:60]!r} that counts")
    share = kpis.met(kpi)
    extra = {None: sql.SQL("TRUE"), True: share, False: sql.SQL("NOT ({})").format(share)}[met]
    query = sql.SQL("SELECT DISTINCT r.id FROM {} WHERE {} AND {} ORDER BY r.id LIMIT {}").format(
        kpis.source(kpi.of), kpis.within(record, kpi.of, _span(period)), extra, MOST
    )
    return [row[0] for row in conn.execute(query).fetchall()]


def _counted(
    conn: Connection, record: Record, kpi: Kpi, period: Period, by: str
) -> list[tuple[str, int, int]]:
    group = sql.SQL("coalesce(r.fields ->> {}, '')").format(by) if by else sql.SQL("''")
    query = kpis.counted(record, kpi, _span(period), group)
    return [(row[0], row[1], row[2]) for row in conn.execute(query).fetchall()]


def _span(period: Period) -> kpis.Span:
    return kpis.Span(sql.Literal(period.since), sql.Literal(period.until))


def _figure(kpi: Kpi, group: str, met: int, counted: int) -> Figure:
    value = met / counted if counted else None
    return Figure(
        kpi=kpi.name,
        group=group,
        numerator=met,
        denominator=counted,
        value=value,
        target=kpi.target,
        met=kpi.reached(value),
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
    return Figure(
        kpi=score.name,
        group=group,
        numerator=None,
        denominator=None,
        value=None if total is None else round(total, 9),
        target=score.target,
        met=score.reached(total),
    )
