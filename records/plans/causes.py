"""Why a plan proposes something now: open alerts, readings beyond a value, records in a state."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import numpy as np
from psycopg import Connection, sql
from psycopg.rows import dict_row

from catalog.base import Text, text
from catalog.conditions import Schedule
from catalog.lifecycle.day_kinds import kinds_of
from catalog.lifecycle.registry import records
from catalog.metrics import Metric
from catalog.plan.model import OnAlert, OnReading, OnRecord, Plan, When
from catalog.registry import concern_of, stream_rules, streams
from engine.conditions import holds
from storage.tables import last_table

CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that holds. ``unwell`` says why its data may not be acted on; none = it may."""

    id: str
    lon: float
    lat: float
    at: datetime
    made_from: str
    unwell: Text | None = None
    confidence: str = CONFIRMED
    words: dict[str, Text] = field(default_factory=dict[str, Text])
    """What fills the template: ``place``, ``value``, ``unit``, ``kind``."""


def causes_of(conn: Connection, plan: Plan, now: datetime, held: Iterable[str]) -> list[Cause]:
    """Return what holds for a plan at ``now``; ``held``: ids of causes that it has acted on.

    A reading between ``start`` and ``end`` goes on being a cause, but does not become one.
    """
    if plan.hours is not None and not _in_hours(plan.hours, now):
        return []
    known, found = set(held), dict[str, Cause]()
    for when in plan.when:
        if not _runs(when):
            continue
        if isinstance(when, OnAlert):
            causes = _alerts(conn, when, plan, now)
        elif isinstance(when, OnReading):
            causes = _readings(conn, when, plan, now, known)
        else:
            causes = _records(conn, when)
        for cause in causes:
            found.setdefault(cause.id, cause)
    return list(found.values())


def _runs(when: When) -> bool:
    """Tell whether what a cause names is of a system that runs here."""
    if isinstance(when, OnReading):
        return when.stream in streams()
    return when.record in records() if isinstance(when, OnRecord) else True


def _in_hours(hours: Schedule, now: datetime) -> bool:
    return bool(holds(hours, np.array([int(now.timestamp() * 1e6)]), kinds_of)[0])


def _alerts(conn: Connection, when: OnAlert, plan: Plan, now: datetime) -> Iterator[Cause]:
    rules = [r for r in stream_rules() if any(fnmatchcase(r, p) for p in when.rules)]
    for row in _rows(conn, _ALERTS, [_maintenance(), rules, when.worst]):
        unwell = _unwell(plan, row, now)
        if not unwell and row["confidence"] != CONFIRMED and not plan.guard.unconfirmed:
            why = row["reason"]
            unwell = text(f"告警未经确认：{why}", f"the alert is unconfirmed: {why}")
        metric = _metric(row["stream"], row["metric"])
        yield Cause(
            id=f"alert:{row['id']}",
            lon=row["lon"],
            lat=row["lat"],
            at=row["changed_at"],
            made_from=_said(row, row["rule"]),
            unwell=unwell,
            confidence=row["confidence"],
            words=_place(row) | _value(metric, row["value"]),
        )


def _readings(
    conn: Connection, when: OnReading, plan: Plan, now: datetime, known: set[str]
) -> Iterator[Cause]:
    high = when.end < when.start
    query = sql.SQL(_READINGS).format(
        metric=sql.Identifier(when.metric), table=sql.Identifier(last_table(when.stream))
    )
    for row in _rows(conn, query, [_maintenance(), when.stream]):
        value, id = row["value"], f"reading:{when.stream}.{when.metric}/{row['sensor']}"
        limit = when.end if id in known else when.start
        inside = value > limit if id in known else value >= limit
        if not high:
            inside = value < limit if id in known else value <= limit
        if inside:
            yield Cause(
                id=id,
                lon=row["lon"],
                lat=row["lat"],
                at=row["last_at"],
                made_from=_said(row, when.metric),
                unwell=_unwell(plan, row, now),
                words=_place(row) | _value(_metric(when.stream, when.metric), value),
            )


def _records(conn: Connection, when: OnRecord) -> Iterator[Cause]:
    record = records()[when.record]
    for row in _rows(conn, _RECORDS, [when.record, list(when.states)]):
        fields = row["fields"]
        if any(fields.get(name) not in values for name, values in when.only.items()):
            continue
        where = fields.get("address") or ""
        words = {"place": text(where, where)}
        if when.kind and (declared := record.field(when.kind)):
            choice = declared.choice(fields.get(when.kind))
            words |= {"kind": choice.title} if choice else {}
        yield Cause(
            id=f"record:{when.record}-{row['id']}",
            lon=row["lon"],
            lat=row["lat"],
            at=row["state_since"],
            made_from=f"{when.record}-{row['id']} {row['state']}",
            words=words,
        )


_OF_SENSOR = (
    " s.lon, s.lat, s.title_zh, s.title_en, s.status AS registered, l.observed_at AS last_at,"
    " (SELECT min(m.rule) FROM episodes m WHERE m.stream = s.stream AND m.sensor = s.sensor"
    " AND m.status = 'active' AND m.rule = ANY(%s)) AS maintenance"
)
_ALERTS = (
    "SELECT e.id, e.rule, e.stream, e.sensor, e.metric, e.value, e.changed_at, e.confidence,"
    f" e.reason,{_OF_SENSOR} FROM episodes e"
    " JOIN sensors s ON (s.stream, s.sensor) = (e.stream, e.sensor)"
    " LEFT JOIN sensor_last l ON (l.stream, l.sensor) = (e.stream, e.sensor)"
    " WHERE e.status = 'active' AND e.rule = ANY(%s) AND e.severity <= %s AND s.lon IS NOT NULL"
    " ORDER BY e.severity, e.raised_at, e.id"
)
_READINGS = (
    f"SELECT s.stream, l.sensor, l.{{metric}} AS value,{_OF_SENSOR} FROM {{table}} l"
    " JOIN sensors s ON (s.stream, s.sensor) = (%s, l.sensor)"
    " WHERE l.{metric} IS NOT NULL AND s.lon IS NOT NULL ORDER BY l.sensor"
)
_RECORDS = (
    "SELECT id, fields, state, state_since, lon, lat FROM records WHERE kind = %s"
    " AND state = ANY(%s) AND closed_at IS NULL AND lon IS NOT NULL ORDER BY id"
)


def _rows(conn: Connection, query: str | sql.Composed, values: list[Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        asked = query.encode() if isinstance(query, str) else query
        return cursor.execute(asked, values).fetchall()


def _unwell(plan: Plan, row: dict[str, Any], now: datetime) -> Text | None:
    """Return what is wrong with the sensor; its state in the registry counts too."""
    if row["registered"] != "registered":
        return text("传感器未登记或已停用", f"the sensor is {row['registered']}")
    if row["maintenance"]:
        rule = row["maintenance"]
        return text(f"设备告警：{rule}", f"maintenance alert: {rule}")
    if row["last_at"] is None:
        return text("没有读数", "no reading")
    age = (now - row["last_at"]).total_seconds()
    if not -plan.guard.fresh_s <= age <= plan.guard.fresh_s:
        return text(f"最新读数已过 {age:.0f} 秒", f"the last reading is {age:.0f} s old")
    return None


def _said(row: dict[str, Any], of: str) -> str:
    value = "" if row["value"] is None else f" {row['value']:g}"
    return f"{row['stream']}/{row['sensor']} {of}{value} · {row['last_at'] or row.get('at')}"[:500]


def _place(row: dict[str, Any]) -> dict[str, Text]:
    return {"place": text(row["title_zh"] or row["sensor"], row["title_en"] or row["sensor"])}


def _value(metric: Metric | None, value: float | None) -> dict[str, Text]:
    if metric is None or value is None:
        return {}
    said = f"{value:.{metric.decimals}f}"
    return {"value": text(said, said), "unit": text(metric.unit, metric.unit)}


def _metric(stream: str, name: str | None) -> Metric | None:
    declared = streams().get(stream)
    return declared.metric(name) if declared and name else None


@cache
def _maintenance() -> list[str]:
    return [rule for rule in stream_rules() if concern_of(rule) == "maintenance"]
