"""Incidents of one cause in many places come under one parent, by the kinds that gather others.

Works inside the transaction that changed the children, after each of these was judged by itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from alerts.episode.lapse import ENGINE, lapse_acknowledgement
from alerts.event.events import Event
from alerts.incident.course import mark, note, read_incidents, reopen
from alerts.incident.events import incident_event
from alerts.incident.queries import STATE, Incident
from alerts.settings import AlertSettings
from catalog.incident import IncidentKind, incident_kinds

LASTING = timedelta(days=2)
"""An alert that has ended is looked for so far back; rain of twelve hours lasts no longer."""


def gather(conn: Connection, settings: AlertSettings, now: datetime) -> list[Event]:
    """Bring confirmed incidents under their parents and judge these; return what is to be told."""
    events: list[Event] = []
    for kind in incident_kinds().values():
        if kind.gathers:
            events += _Family(conn, kind, settings, now).settle()
    return events


class _Family:
    """The parents of one kind and the children that have none yet."""

    def __init__(
        self, conn: Connection, kind: IncidentKind, settings: AlertSettings, now: datetime
    ) -> None:
        self._conn, self._kind, self._settings, self._now = conn, kind, settings, now
        self._events: list[Event] = []
        self._said: dict[str, str] = {}

    def settle(self) -> list[Event]:
        for parent in self._ended(_GOES_ON, []):
            self._reopen(parent, parent.root_episode)
        free = self._read(_FREE, [list(self._kind.gathers)])
        left = [child for child in free if not self._adopted(child)]
        if left:
            self._open_one(left)
        for parent in self._parents():
            self._assess(parent)
        for parent, what in self._said.items():
            (after,) = self._read("id = %s", [parent])
            self._events.append(incident_event(self._conn, after, what, self._settings, self._now))
        return self._events

    def _read(self, condition: str, values: list[object]) -> list[Incident]:
        return read_incidents(self._conn, condition, values)

    def _parents(self) -> list[Incident]:
        return self._read("kind = %s AND resolved_at IS NULL ORDER BY opened_at, id", [self._name])

    def _ended(self, condition: str, values: list[object]) -> list[Incident]:
        """Return ended parents of a condition, newest first, without those a person has ended."""
        return self._read(
            f"kind = %s AND {_BY_ENGINE} AND {condition}{_NEWEST}", [self._name, ENGINE, *values]
        )

    @property
    def _name(self) -> str:
        return self._kind.name

    def _near(self, one: Incident, other: Incident) -> bool:
        """Tell whether the times of their alerts lie within the kind's window of each other."""
        gap = max(one.opened_at, other.opened_at) - min(one.newest_at, other.newest_at)
        return gap.total_seconds() <= self._kind.within_s

    def _adopted(self, child: Incident) -> bool:
        """Put a child under a parent that is open, or has just ended; False when there is none."""
        found = next((p for p in self._parents() if self._near(p, child)), None)
        if found is None:
            since = child.opened_at - timedelta(seconds=self._kind.reopen_s)
            found = next(iter(self._ended("resolved_at >= %s", [since])), None)
            if found:
                self._reopen(found, child.root_episode)
        if found:
            self._join(found, child)
        return found is not None

    def _open_one(self, free: Sequence[Incident]) -> None:
        """Open a parent when enough children lie together and their common cause is known."""
        group = max(([o for o in free if self._near(c, o)] for c in free), key=len)
        if len(group) >= self._kind.least and self._caused(group):
            parent = self._begin(group)
            for child in group:
                self._join(parent, child)

    def _caused(self, group: Sequence[Incident]) -> bool:
        if not self._kind.because:
            return True
        window = timedelta(seconds=self._kind.within_s)
        first = min(i.opened_at for i in group) - window
        last = max(i.newest_at for i in group) + window
        rows = self._conn.execute(_AT_THE_TIME.encode(), [last, first - LASTING, first])
        return any(self._kind.is_because(rule) for (rule,) in rows)

    def _begin(self, group: Sequence[Incident]) -> Incident:
        first = min(group, key=lambda child: (child.opened_at, child.id))
        before = self._read(f"kind = %s AND status = 'resolved'{_NEWEST}", [self._name])
        values = {
            "id": "inc-" + sha256(f"{self._name}|{first.id}".encode()).hexdigest()[:16],
            "kind": self._name,
            "severity": int(self._kind.level([child.severity for child in group])),
            "episode": first.root_episode,
            "sensor": first.root_sensor,
            "opened": first.opened_at,
            "newest": max(child.newest_at for child in group),
            "now": self._now,
            "by": ENGINE,
            "similar": before[0].id if before else None,
        }
        with self._conn.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_BEGIN.encode(), values).fetchone()
        parent = Incident.model_validate(row)
        note(self._conn, parent.id, ENGINE, "opened", first.root_episode)
        note(self._conn, parent.id, ENGINE, "confirmed")
        self._said[parent.id] = "confirmed"
        return parent

    def _join(self, parent: Incident, child: Incident) -> None:
        self._conn.execute("UPDATE incidents SET parent = %s WHERE id = %s", [parent.id, child.id])
        self._conn.execute(
            "UPDATE incidents SET newest_at = greatest(newest_at, %s),"
            " opened_at = least(opened_at, %s) WHERE id = %s",
            [child.newest_at, child.opened_at, parent.id],
        )
        note(self._conn, parent.id, ENGINE, "gathered", child.id)
        note(self._conn, child.id, ENGINE, "joined", parent.id)

    def _reopen(self, parent: Incident, why: str) -> None:
        self._events += reopen(self._conn, parent, ENGINE, why, self._settings, self._now)

    def _assess(self, parent: Incident) -> None:
        """Judge a parent by its open children: another level, over."""
        children = self._read("parent = %s", [parent.id])
        if going := [child for child in children if child.resolved_at is None]:
            self._grow(parent, going)
        elif not self._waits_for_a_person(parent.id):
            over = max((c.resolved_at for c in children if c.resolved_at), default=self._now)
            ended: dict[str, Any] = {"status": "resolved", "resolved_at": over}
            mark(self._conn, parent, "resolved", self._now, **ended)
            self._said[parent.id] = "resolved"

    def _grow(self, parent: Incident, going: Sequence[Incident]) -> None:
        newest = max(parent.newest_at, *(child.newest_at for child in going))
        self._conn.execute(
            "UPDATE incidents SET newest_at = %s WHERE id = %s AND newest_at < %s",
            [newest, parent.id, newest],
        )
        level = int(self._kind.level([child.severity for child in going]))
        if level != parent.severity:
            peak = min(level, parent.peak_severity)
            levels: dict[str, Any] = {"severity": level, "peak_severity": peak}
            mark(self._conn, parent, "changed", self._now, **levels)
            lapse_acknowledgement(self._conn, "incidents", parent.id, level)
            self._said.setdefault(parent.id, "changed")

    def _waits_for_a_person(self, parent: str) -> bool:
        """Tell whether a person reopened it and no child has ended since: then a person ends it."""
        row = self._conn.execute(_WAITING.encode(), {"id": parent, "engine": ENGINE}).fetchone()
        return bool(row and row[0])


_AT_THE_TIME = (  # two indexes answer: the open ones, and those raised lately
    "SELECT DISTINCT rule FROM episodes WHERE raised_at <= %s"
    " AND (cleared_at IS NULL OR (raised_at >= %s AND cleared_at >= %s))"
)
_FREE = "kind = ANY(%s) AND parent IS NULL AND status = 'confirmed' ORDER BY opened_at, id"
_GOES_ON = (
    "EXISTS (SELECT 1 FROM incidents c WHERE c.parent = incidents.id AND c.resolved_at IS NULL)"
)
_BY_ENGINE = (
    "status = 'resolved' AND (SELECT who FROM incident_acts WHERE incident = incidents.id"
    " AND act = 'resolved' ORDER BY id DESC LIMIT 1) = %s"
)
_NEWEST = " ORDER BY resolved_at DESC, id LIMIT 5"
_WAITING = (
    "SELECT coalesce((SELECT max(id) FROM incident_acts WHERE incident = %(id)s"
    " AND act = 'reopened' AND who <> %(engine)s) > coalesce((SELECT max(a.id) FROM incident_acts a"
    " JOIN incidents c ON c.id = a.incident WHERE c.parent = %(id)s"
    " AND a.act IN ('resolved', 'merged')), 0), false)"
)
_BEGIN = (
    "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode, root_sensor,"
    " opened_at, newest_at, changed_at, confirmed_at, confirmed_by, similar_id) VALUES (%(id)s,"
    " %(kind)s, 'confirmed', %(severity)s, %(severity)s, %(episode)s, %(sensor)s, %(opened)s,"
    f" %(newest)s, %(now)s, %(now)s, %(by)s, %(similar)s) RETURNING {STATE}"
)
