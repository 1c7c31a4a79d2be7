"""What has changed, numbered: the source of server-sent events, filled by ``console.live``.

Alert changes are the rows of ``transitions``, so none is missed; sensor states are compared from
snapshot to snapshot. The newest changes are kept in memory: whoever reconnects within them goes on
where they were, whoever comes later is told to read the lists anew.
"""

import secrets
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row

KEPT = 20_000
AT_ONCE = 5_000
Row = dict[str, Any]
Kind = Literal["alert", "ack", "state"]
OVERTAKEN = timedelta(seconds=10)
TRANSITIONS = (
    "SELECT t.id, t.episode, t.kind, t.rule, t.stream, d.domain, t.sensor, s.district,"
    " t.severity, t.previous, t.metric, t.value, t.threshold, m.unit, t.observed_at, t.recorded_at"
    " FROM transitions t LEFT JOIN sensors s ON s.stream = t.stream AND s.sensor = t.sensor"
    " LEFT JOIN dash.streams d ON d.stream = t.stream"
    " LEFT JOIN dash.metrics m ON m.stream = t.stream AND m.metric = t.metric"
    " WHERE t.recorded_at > %s ORDER BY t.recorded_at, t.id LIMIT %s"
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
        self._newest: datetime | None = None
        self._told: dict[str, datetime] = {}

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
        """Note the transitions since last time, then what differs between two looks."""
        found: dict[Kind, list[Row]] = {"alert": self._new_transitions(conn)}
        if before.known:
            found["ack"] = _acknowledged(before.alerts, now.alerts)
            found["state"] = _states(before.sensors, now.sensors)
        with self._lock:
            for kind, rows in found.items():
                for row in rows:
                    self._number += 1
                    self._kept.append(Change(self._number, kind, row))

    def _new_transitions(self, conn: Connection) -> list[Row]:
        """Return transitions not returned before, looking a little back: commits may overtake."""
        if self._newest is None:
            row = conn.execute("SELECT max(recorded_at) FROM transitions").fetchone()
            self._newest = row[0] if row and row[0] else datetime.fromtimestamp(0, UTC)
            self._told = {row["id"]: row["recorded_at"] for row in self._transitions(conn)}
            return []
        rows = [row for row in self._transitions(conn) if row["id"] not in self._told]
        self._told |= {row["id"]: row["recorded_at"] for row in rows}
        self._newest = max(self._told.values(), default=self._newest)
        self._told = {id: at for id, at in self._told.items() if at > self._newest - OVERTAKEN}
        return rows

    def _transitions(self, conn: Connection) -> list[Row]:
        assert self._newest is not None
        with conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(TRANSITIONS, [self._newest - OVERTAKEN, AT_ONCE]).fetchall()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the city saw; ``known`` is False before the first one."""

    alerts: list[Row]
    sensors: list[Row]
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
