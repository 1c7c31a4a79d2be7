"""What has changed, numbered: the source of server-sent events, filled by ``console.live``.

Alert changes are the rows of ``transitions`` and incident changes those of ``incident_acts``, so
none is missed; sensor states and the evidence of incidents are compared from snapshot to snapshot.
The newest changes are kept in memory: whoever reconnects within them goes on
where they were, whoever comes later is told to read the lists anew.
"""

import secrets
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row

from alerts.incident.queries import Summary
from catalog.incident import incident_kinds

KEPT = 20_000
AT_ONCE = 5_000
Row = dict[str, Any]
Kind = Literal["alert", "incident", "ack", "state"]
OVERTAKEN = timedelta(seconds=10)
TRANSITIONS = (
    "SELECT t.id, t.episode, t.kind, t.rule, t.stream, d.domain, t.sensor, s.district,"
    " t.severity, t.previous, t.metric, t.value, t.threshold,"
    " CASE WHEN r.kind = 'unusual' THEN '×' ELSE m.unit END AS unit,"
    " t.observed_at, t.recorded_at"
    " FROM transitions t LEFT JOIN sensors s ON s.stream = t.stream AND s.sensor = t.sensor"
    " LEFT JOIN dash.streams d ON d.stream = t.stream"
    " LEFT JOIN dash.metrics m ON m.stream = t.stream AND m.metric = t.metric"
    " LEFT JOIN dash.rules r ON r.rule = t.rule"
    " WHERE t.recorded_at > %s ORDER BY t.recorded_at, t.id LIMIT %s"
)
INCIDENTS = (
    "SELECT a.id, a.act, a.who, a.note, a.at AS recorded_at, i.id AS incident, i.kind, i.status,"
    " i.severity, i.district, i.opened_at, i.resolved_at, i.merged_into FROM incident_acts a"
    " JOIN incidents i ON i.id = a.incident WHERE a.at > %s ORDER BY a.at, a.id LIMIT %s"
)
STATE_FIELDS = ("stream", "domain", "sensor", "district", "state", "observed_at", "value", "unit")


@dataclass(frozen=True, slots=True)
class Change:
    """One change; ``number`` rises by one, ``data`` is JSON-ready but for times."""

    number: int
    kind: Kind
    data: Row


class Changes:
    """The newest changes, safe to read from any thread."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._kept: deque[Change] = deque(maxlen=KEPT)
        self._number = 0
        self._lock = threading.Lock()
        self._transitions = Tail(TRANSITIONS)
        self._incident_acts = Tail(INCIDENTS)

    @property
    def newest(self) -> str:
        """The cursor of the newest change."""
        with self._lock:
            return self.cursor(self._number)

    def cursor(self, number: int) -> str:
        """Return the cursor of a change: it tells this process from one before it."""
        return f"{self._run}-{number}"

    def after(self, cursor: str) -> list[Change] | None:
        """Return what came after a cursor; None when that is no longer (or not) known here."""
        run, _, text = cursor.partition("-")
        if run != self._run or not text.isdecimal():
            return None
        number = int(text)
        with self._lock:
            if number > self._number or number < self._number - len(self._kept):
                return None
            missing = self._number - number
            return [self._kept[i] for i in range(len(self._kept) - missing, len(self._kept))]

    def read(self, conn: Connection, before: "Seen", now: "Seen") -> None:
        """Note the rows since last time, then what differs between two looks."""
        found: dict[Kind, list[Row]] = {
            "alert": self._transitions.read(conn),
            "incident": [_incident(row) for row in self._incident_acts.read(conn)],
        }
        if before.known:
            found["incident"] += _evidence(before.incidents, now.incidents)
            found["ack"] = _acknowledged(before.alerts, now.alerts)
            found["state"] = _states(before.sensors, now.sensors)
        with self._lock:
            for kind, rows in found.items():
                for row in rows:
                    self._number += 1
                    self._kept.append(Change(self._number, kind, row))


class Tail:
    """The end of an append-only table; ``query`` takes a time and a number of rows."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._newest: datetime | None = None
        self._told: dict[Any, datetime] = {}

    def read(self, conn: Connection) -> list[Row]:
        """Return rows not returned before, looking a little back: commits may overtake."""
        if self._newest is None:
            row = conn.execute("SELECT clock_timestamp()").fetchone()
            assert row is not None
            self._newest = row[0]
            self._told = {row["id"]: row["recorded_at"] for row in self._rows(conn)}
            return []
        rows = [row for row in self._rows(conn) if row["id"] not in self._told]
        self._told |= {row["id"]: row["recorded_at"] for row in rows}
        self._newest = max((self._newest, *self._told.values()))
        self._told = {id: at for id, at in self._told.items() if at > self._newest - OVERTAKEN}
        return rows

    def _rows(self, conn: Connection) -> list[Row]:
        assert self._newest is not None
        with conn.cursor(row_factory=dict_row) as cursor:
            values = [self._newest - OVERTAKEN, AT_ONCE]
            return cursor.execute(self._query.encode(), values).fetchall()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the city saw; ``known`` is False before the first one."""

    alerts: list[Row]
    sensors: list[Row]
    incidents: list[Summary]
    known: bool


def _acknowledged(before: list[Row], now: list[Row]) -> list[Row]:
    taken = {row["episode"] for row in before if row["acked_at"] is not None}
    known = {row["episode"] for row in before}
    names = ("episode", "rule", "stream", "domain", "sensor", "district", "severity")
    return [
        {name: row[name] for name in (*names, "acked_at", "acked_by")}
        for row in now
        if row["acked_at"] is not None and row["episode"] in known - taken
    ]


def _states(before: list[Row], now: list[Row]) -> list[Row]:
    known = {(row["stream"], row["sensor"]): row["state"] for row in before}
    return [
        {name: row[name] for name in STATE_FIELDS} | {"previous": was}
        for row in now
        if (was := known.get((row["stream"], row["sensor"]))) != row["state"]
    ]


def _incident(row: Row) -> Row:
    """Return what is told of one line of an incident's timeline."""
    declared = incident_kinds().get(row["kind"])
    name = {"title": declared.title.model_dump(), "domain": declared.domain} if declared else {}
    return {name: value for name, value in row.items() if name != "id"} | name


def _evidence(before: list[Summary], now: list[Summary]) -> list[Row]:
    """Return incidents of which other alerts, or more or fewer, fire than before."""
    known = {i.id: (i.alerts, i.firing, i.folded) for i in before}
    return [
        {
            "act": "evidence",
            "incident": i.id,
            "domain": i.declared.domain,
            **i.model_dump(include={"kind", "title", "status", "severity", "district"}),
            **i.model_dump(include={"alerts", "firing", "folded", "opened_at", "resolved_at"}),
        }
        for i in now
        if known.get(i.id, (i.alerts, i.firing, i.folded)) != (i.alerts, i.firing, i.folded)
    ]
