"""What the leaves of an index count: one row a sensor or record, folded by district.

The rows that a number opens are the rows that it is made of.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection, sql
from psycopg.rows import class_row
from pydantic import BaseModel

from catalog.index import AlertCount, Index, Leaf, Level, Reporting, Share, rules_of
from catalog.lifecycle.kpi import Kpi
from catalog.lifecycle.registry import records
from catalog.registry import streams
from catalog.site import site
from engine.indices import NOTHING, Counted, Scored, score_index
from records.kpi import Period, counted_records, share_by
from storage.tables import last_table

CITY = ""
"""The place that is the whole city."""
FULL = 100.0
PLACES = Literal["sensor", "record"]


class Item(BaseModel):
    """One thing that a leaf counts: ``known`` or not, what it adds, and its open alert if any."""

    kind: PLACES = "sensor"
    of: str
    """The stream or record that it is one of."""
    id: str
    title_zh: str
    title_en: str
    district: str
    known: bool
    value: float | None
    alert: str | None = None
    red: bool = False


def score_places(conn: Connection, index: Index, now: datetime) -> dict[str, Scored]:
    """Return the tree of the whole city (``CITY``) and of each district, by its code."""
    counts = {leaf.name: _counts(conn, leaf, now) for leaf in index.tree.leaves()}
    places = (CITY, *site().districts)
    return {
        place: score_index(index, {leaf: of.get(place, NOTHING) for leaf, of in counts.items()})
        for place in places
    }


def items_of(conn: Connection, leaf: Leaf, place: str, now: datetime) -> list[Item]:
    """Return what a leaf counts in a place, what is worst for it first."""
    of = leaf.of
    found = _cases(conn, of, now) if isinstance(of, Share) else _sensors(conn, of, now)
    there = [item for item in found if place in (CITY, item.district)]
    sign = 1 if leaf.good > leaf.bad else -1
    return sorted(there, key=lambda i: (not i.red, i.known, sign * (i.value or 0.0), i.id))


def fold(of: AlertCount | Level | Reporting, items: Iterable[Item]) -> dict[str, Counted]:
    """Return what items make of each district, and of the city."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        for place in {CITY, item.district}:  # in no district: in the city, once
            groups.setdefault(place, []).append(item)
    return {place: _fold(of, those) for place, those in groups.items()}


def _fold(of: AlertCount | Level | Reporting, items: list[Item]) -> Counted:
    values = [item.value for item in items if item.known and item.value is not None]
    worst = {"max": max, "min": min}.get(of.by) if isinstance(of, Level) else None
    value = None
    if values:
        value = worst(values) if worst else sum(values) / len(values)
    return Counted(value, len(values), len(items), any(item.red for item in items))


def _counts(conn: Connection, leaf: Leaf, now: datetime) -> Mapping[str, Counted]:
    of = leaf.of
    if isinstance(of, Share) and of.record not in records():
        return {}
    if not isinstance(of, Share):
        return fold(of, _sensors(conn, of, now))
    record, kpi, period = _kpi(of, now)
    shares = share_by(conn, record, kpi, period, "district")
    shares.pop("", None)  # of no district, but of the city
    found = shares | share_by(conn, record, kpi, period, "")
    return {
        place: Counted(FULL * figure.value, figure.denominator or 0, figure.denominator or 0)
        for place, figure in found.items()
        if figure.value is not None
    }


def _sensors(conn: Connection, of: AlertCount | Level | Reporting, now: datetime) -> Iterator[Item]:
    if isinstance(of, AlertCount):
        rules = rules_of(of)
        values = [list(rules), of.worst, now - timedelta(seconds=of.fresh_s), now]
        yield from _rows(conn, sql.SQL(_ALERTS), [*values, sorted(set(rules.values()))])
    elif isinstance(of, Level):
        if of.stream not in streams():
            return
        query = sql.SQL(_LEVEL).format(
            metric=sql.Identifier(of.metric), table=sql.Identifier(last_table(of.stream))
        )
        yield from _rows(conn, query, [now - timedelta(seconds=of.fresh_s), now, of.stream])
    else:
        for name in (name for name in of.streams or tuple(streams()) if name in streams()):
            fresh = timedelta(seconds=of.cadences * streams()[name].cadence_s)
            yield from _rows(conn, sql.SQL(_REPORTING), [now - fresh, now, name])


def _rows(conn: Connection, query: sql.Composed | sql.SQL, values: list[Any]) -> list[Item]:
    with conn.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(query, values).fetchall()


_SENSOR = "s.stream AS of, s.sensor AS id, s.title_zh, s.title_en, s.district"
_IN_USE = " s.status = 'registered'"
_ALERTS = (
    f"SELECT {_SENSOR}, e.id AS alert, coalesce(e.severity = 1, false) AS red,"
    " CASE WHEN e.id IS NULL THEN 100.0 ELSE 0.0 END::float8 AS value,"
    " e.id IS NOT NULL OR coalesce(f.fresh, false) AS known FROM sensors s"
    " LEFT JOIN LATERAL (SELECT id, severity FROM episodes e WHERE e.stream = s.stream"
    " AND e.sensor = s.sensor AND e.status = 'active' AND e.rule = ANY(%s) AND e.severity <= %s"
    " ORDER BY e.severity, e.raised_at, e.id LIMIT 1) e ON true"
    " LEFT JOIN LATERAL (SELECT l.observed_at BETWEEN %s AND %s + interval '1 minute' AS fresh"
    " FROM sensor_last l WHERE l.stream = s.stream AND l.sensor = s.sensor) f ON true"
    f" WHERE s.stream = ANY(%s) AND{_IN_USE}"
)
_LEVEL = (
    f"SELECT {_SENSOR}, l.{{metric}} AS value, l.{{metric}} IS NOT NULL AND l.observed_at"
    " BETWEEN %s AND %s + interval '1 minute' AS known"
    " FROM sensors s LEFT JOIN {table} l ON l.sensor = s.sensor"
    f" WHERE s.stream = %s AND{_IN_USE}"
)
_REPORTING = (
    f"SELECT {_SENSOR}, true AS known, CASE WHEN l.observed_at BETWEEN %s AND"
    " %s + interval '1 minute' THEN 100.0 ELSE 0.0 END::float8 AS value FROM sensors s"
    " LEFT JOIN sensor_last l ON (l.stream, l.sensor) = (s.stream, s.sensor)"
    f" WHERE s.stream = %s AND{_IN_USE}"
)


def _kpi(of: Share, now: datetime) -> tuple[Any, Kpi, Period]:
    record = records()[of.record]
    kpi = next(k for k in record.kpis if k.name == of.kpi and isinstance(k, Kpi))
    return record, kpi, Period(now - timedelta(days=of.days), now)


def _cases(conn: Connection, of: Share, now: datetime) -> list[Item]:
    if of.record not in records():
        return []
    record, kpi, period = _kpi(of, now)
    every = counted_records(conn, record, kpi.name, period)
    met = {*counted_records(conn, record, kpi.name, period, met=True)}
    rows = conn.execute("SELECT id, district FROM records WHERE id = ANY(%s)", [every]).fetchall()
    return [
        Item(
            kind="record",
            of=record.name,
            id=f"{record.name}-{id}",
            title_zh=record.title.zh,
            title_en=record.title.en,
            district=district or "",
            known=True,
            value=FULL if id in met else 0.0,
        )
        for id, district in rows
    ]
