"""The present state of the city, read once for everybody who looks: at least once a second.

A small city, which is quick to read, is read more often; the alerts engine's NOTIFY makes it sooner
in any. While nobody looks nothing is read.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from alerts.incident.queries import Summary, list_incidents
from alerts.wake import LIVE_CHANNEL
from catalog.early import AHEAD_H, RAISE
from console.changes import Changes, Seen
from dashboards.wall import HOURS, POINTS
from service.clock import Clock
from service.reconnecting import keep_connected

EVERY_S = 1.0
NOT_SOONER_S = 0.2
BUSY = 0.1
"""Share of the time that may be spent on reading, where that lets it be read more often."""
WATCHED_S = 15.0
MAX_ALERTS = 1000
LASTING_S = {"trends": 30.0, "platform": 2.0, "outlook": 30.0, "outlook_state": 30.0}
"""How long these parts of a snapshot may stand: they take most of the time and move slowly."""
TREND = "vital_lines(now() - make_interval(hours => %s), now(), make_interval(mins => %s))"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the ``dash`` functions said at one moment; ``trouble`` says why it is not newer."""

    version: int = 0
    at: datetime | None = None
    vital_signs: list[Row] = field(default_factory=list)
    sensors: list[Row] = field(default_factory=list)
    districts: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    freshness: list[Row] = field(default_factory=list)
    platform: dict[str, Row] = field(default_factory=dict)
    trends: list[Row] = field(default_factory=list)
    incidents: list[Summary] = field(default_factory=list)
    outlook: list[Row] = field(default_factory=list)
    outlook_state: list[Row] = field(default_factory=list)
    heard: int = 0
    """How often something was told to have changed before this was read."""
    trouble: str = ""

    def figure(self, name: str) -> float | None:
        """Return one figure of ``dash.platform()``; None when it is not known."""
        row = self.platform.get(name)
        return row["value"] if row else None


def read(conn: Connection, version: int, at: datetime, kept: Mapping[str, Any]) -> Snapshot:
    """Ask the database for the state of the city, but for the parts that are ``kept``."""
    with conn.cursor(row_factory=dict_row) as cursor:

        def rows(call: str, *values: object) -> list[Row]:
            return cursor.execute(f"SELECT * FROM dash.{call}".encode(), values).fetchall()

        lasting = dict(kept)
        if "platform" not in kept:
            lasting["platform"] = {row["name"]: row for row in rows("platform()")}
        if "trends" not in kept:
            lasting["trends"] = rows(TREND, HOURS, HOURS * 60 // POINTS)
        if "outlook" not in kept:
            lasting["outlook"] = rows("outlook(NULL, %s, %s, '')", AHEAD_H, RAISE)
        if "outlook_state" not in kept:
            lasting["outlook_state"] = rows("outlook_state()")
        return Snapshot(
            version,
            at,
            rows("vital_signs()"),
            rows("sensor_states()"),
            rows("district_states()"),
            rows("active_alerts(%s)", MAX_ALERTS),
            rows("freshness()"),
            incidents=list_incidents(conn),
            **lasting,
        )


class Live:
    """Keeps the newest snapshot; ``run`` works in a thread of its own."""

    def __init__(self, dsn: str, clock: Clock) -> None:
        self.changes = Changes()
        self._dsn = dsn
        self._clock = clock
        self._watched_until = 0.0
        self._wake = threading.Event()
        self._snapshot = Snapshot()
        self._read_at = dict.fromkeys(LASTING_S, -inf)
        self._heard = 0

    def look(self) -> Snapshot:
        """Return the newest snapshot and keep it coming for the next seconds."""
        asleep = self._clock.monotonic() > self._watched_until
        self._watched_until = self._clock.monotonic() + WATCHED_S
        if asleep:
            self._wake.set()
        return self._snapshot

    def poke(self) -> None:
        """Read anew at once: something was changed here."""
        self._heard += 1
        if self._clock.monotonic() <= self._watched_until:
            self._wake.set()

    def run(self, stop: threading.Event, tell: Callable[[str], None]) -> None:
        """Read until ``stop``; ``tell`` hears what is wrong ("" = nothing)."""

        def work(conn: Connection) -> None:
            conn.execute(f"LISTEN {LIVE_CHANNEL}".encode())
            while not stop.is_set():
                self._once(conn, stop, tell)

        def trouble(reason: str) -> None:
            tell(reason)
            old = self._snapshot
            self._snapshot = replace(old, version=old.version + 1, trouble=reason)

        keep_connected(self._dsn, "console live", work, stop, trouble, retry_s=EVERY_S)

    def _once(self, conn: Connection, stop: threading.Event, tell: Callable[[str], None]) -> None:
        if self._clock.monotonic() > self._watched_until:
            conn.execute("SELECT 1")  # notices a database that is away also while nobody looks
            for _ in conn.notifies(timeout=0):
                self.poke()
            tell("")
            self._wake.wait(EVERY_S)
            self._wake.clear()
            return
        begun = self._clock.monotonic()
        before = self._snapshot
        due = [name for name, s in LASTING_S.items() if begun - self._read_at[name] >= s]
        kept = {name: getattr(before, name) for name in LASTING_S if name not in due}
        self._wake.clear()  # what is told from here on is read next time
        heard = self._heard
        now = replace(read(conn, before.version + 1, self._clock.now(), kept), heard=heard)
        self._read_at |= dict.fromkeys(due, begun)
        self.changes.read(conn, _seen(before), _seen(now))
        self._snapshot = now
        tell("")
        every_s = min(EVERY_S, (self._clock.monotonic() - begun) / BUSY)
        stop.wait(NOT_SOONER_S)
        for _ in conn.notifies(timeout=0):  # also where the next reading is due already
            self.poke()
        while self._clock.monotonic() - begun < every_s and not self._wake.is_set():
            for _ in conn.notifies(timeout=NOT_SOONER_S, stop_after=1):
                self.poke()


def _seen(snapshot: Snapshot) -> Seen:
    known = snapshot.at is not None
    return Seen(snapshot.alerts, snapshot.sensors, snapshot.incidents, known=known)
