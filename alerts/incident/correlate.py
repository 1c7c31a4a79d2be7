"""Alerts of one cause become one incident, by the kinds that ``systems/*/incidents/`` declare.

Works inside the transaction that changed the alerts, so an incident is never out of step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from psycopg import Connection
from psycopg.rows import dict_row

from alerts.episode.episodes import Change
from alerts.event.events import Event
from alerts.event.labels import sensor_of
from alerts.incident.course import ENGINE, assess, merge, note, read_incidents, reopen
from alerts.incident.parents import gather
from alerts.incident.places import belongs, below, same_place
from alerts.incident.queries import STATE, Incident
from alerts.settings import AlertSettings
from catalog.contracts import Transition
from catalog.incident import IncidentKind, incident_kinds


@dataclass(slots=True)
class Followed:
    """What there is to tell of incidents, and which alerts are folded under which incident."""

    events: list[Event] = field(default_factory=list)
    folded: dict[str, str] = field(default_factory=dict)


def follow(
    conn: Connection, changes: Sequence[Change], settings: AlertSettings, now: datetime
) -> Followed:
    """Put alerts into incidents and see what became of these."""
    board = Board(conn, settings, now)
    for change in changes:
        if change.transition.kind == "raised":
            board.causes |= _is_cause(change.transition.rule)
            if _roles(change.transition.rule):
                board.take(change.transition)
    ended = [c.transition.episode for c in changes if c.transition.kind != "raised"]
    board.touch_members(ended)
    return board.settle([c.transition.episode for c in changes])


class Board:
    """The open incidents during one transaction."""

    def __init__(self, conn: Connection, settings: AlertSettings, now: datetime) -> None:
        self._conn = conn
        self._settings = settings
        self._now = now
        self._open: list[Incident] | None = None
        self._touched: dict[str, Incident | None] = {}
        self._joined: list[list[object]] = []
        self._events: list[Event] = []
        self.causes = False
        """Whether something began that may be the common cause of incidents."""

    def take(self, t: Transition) -> None:
        """Let an alert that begins join an open incident, open one, or neither."""
        for kind, role in _roles(t.rule):
            if found := next((i for i in self._of(kind) if belongs(kind, i, t)), None):
                self._join(found, kind, [t], role)
                return
        located = sensor_of(t.stream, t.sensor) is not None
        for kind, role in _roles(t.rule):
            if role == "trigger" and (located or kind.place == "city"):
                self._join(self._reopen(kind, t) or self._begin(kind, t), kind, [t], role)
                return

    def touch_members(self, episodes: list[str]) -> None:
        """Look again at the incidents that these alerts belong to."""
        rows = self._conn.execute(
            "SELECT DISTINCT m.incident FROM incident_members m JOIN incidents i"
            " ON i.id = m.incident AND i.resolved_at IS NULL WHERE m.episode = ANY(%s)",
            [episodes],
        ).fetchall()
        for (incident,) in rows:
            self._touched.setdefault(incident, None)

    def settle(self, episodes: list[str]) -> Followed:
        """Judge every incident that was touched; return what there is to tell."""
        self._write_members()
        for incident in list(self._touched):
            self._events += assess(self._conn, incident, self._settings, self._now)
        if self._touched or self.causes:
            self._events += gather(self._conn, self._settings, self._now)
        return Followed(self._events, folded_under(self._conn, episodes))

    def _of(self, kind: IncidentKind) -> list[Incident]:
        if self._open is None:
            self._open = read_incidents(
                self._conn, "resolved_at IS NULL ORDER BY opened_at, id", []
            )
        return [i for i in self._open if i.kind == kind.name]

    def _join(
        self, incident: Incident, kind: IncidentKind, joining: Iterable[Transition], role: str
    ) -> None:
        for t in joining:
            folded = kind.fold and t.sensor in below(incident.root_sensor)
            self._joined.append([t.episode, incident.id, role, folded, self._now])
            incident.newest_at = max(incident.newest_at, t.observed_at)
        self._touched[incident.id] = incident

    def _write_members(self) -> None:
        """Write who joined, all at once: a storm joins by the thousand."""
        with self._conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO incident_members (episode, incident, role, folded, added_at)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                self._joined,
            )
            cursor.executemany(
                "UPDATE incidents SET newest_at = greatest(newest_at, %s) WHERE id = %s",
                [[i.newest_at, i.id] for i in self._touched.values() if i],
            )
        self._joined.clear()

    def _begin(self, kind: IncidentKind, t: Transition) -> Incident:
        place = sensor_of(t.stream, t.sensor)
        level = kind.level([t.severity])
        values = {
            "id": "inc-" + sha256(f"{kind.name}|{t.episode}".encode()).hexdigest()[:16],
            "kind": kind.name,
            "severity": level,
            "episode": t.episode,
            "sensor": t.sensor,
            "district": place.district if place else "",
            "lon": place.lon if place else None,
            "lat": place.lat if place else None,
            "at": t.observed_at,
            "now": self._now,
        }
        similar = read_incidents(self._conn, _PAST.format(place=_SAME[kind.place]), values)
        values["similar"] = similar[0].id if similar else None
        with self._conn.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_BEGIN.encode(), values).fetchone()
        incident = Incident.model_validate(row)
        note(self._conn, incident.id, ENGINE, "opened", t.episode)
        self._of(kind)
        assert self._open is not None
        self._open.append(incident)
        self._adopt(kind, incident, t)
        return incident

    def _adopt(self, kind: IncidentKind, incident: Incident, t: Transition) -> None:
        """Take in what began shortly before, and incidents of the same kind downstream."""
        rows = self._conn.execute(
            "SELECT id, rule, stream, sensor, severity, raised_at FROM episodes e"
            " WHERE cleared_at IS NULL AND raised_at BETWEEN %s AND %s AND id <> %s"
            " AND NOT EXISTS (SELECT 1 FROM incident_members m WHERE m.episode = e.id)",
            [
                t.observed_at - timedelta(seconds=kind.within_s),
                t.observed_at + timedelta(seconds=kind.within_s),
                t.episode,
            ],
        ).fetchall()
        for episode, rule, stream, sensor, severity, raised in rows:
            role = kind.role(rule)
            earlier = _as_transition(episode, rule, stream, sensor, severity, raised)
            if role and belongs(kind, incident, earlier):
                self._join(incident, kind, [earlier], role)
        if kind.place == "topology":
            for other in self._of(kind):
                if other.root_sensor in below(incident.root_sensor):
                    self._write_members()
                    self._events += merge(
                        self._conn, other.id, incident.id, ENGINE, self._settings, self._now
                    )
                    self._open = None

    def _reopen(self, kind: IncidentKind, t: Transition) -> Incident | None:
        """Return the incident that has just ended at this place, open again."""
        span = timedelta(seconds=kind.reopen_s)
        ended = read_incidents(
            self._conn,
            "kind = %(kind)s AND status = 'resolved' AND resolved_at BETWEEN %(from)s AND %(to)s"
            " ORDER BY resolved_at DESC LIMIT 20",
            {"kind": kind.name, "from": t.observed_at - span, "to": t.observed_at + span},
        )
        found = next((i for i in ended if same_place(kind, i, t)), None)
        if found is None:
            return None
        self._conn.execute(
            "UPDATE incidents SET newest_at = %s WHERE id = %s", [t.observed_at, found.id]
        )
        self._events += reopen(self._conn, found, ENGINE, t.episode, self._settings, self._now)
        self._open = None
        return next(i for i in self._of(kind) if i.id == found.id)


def folded_under(conn: Connection, episodes: list[str]) -> dict[str, str]:
    """Return, per alert that is not to be told, the open incident whose root still fires."""
    rows = conn.execute(
        "SELECT episode, incident FROM folded_alerts WHERE episode = ANY(%s)", [episodes]
    ).fetchall()
    return dict(rows)


@lru_cache(maxsize=4096)
def _roles(rule: str) -> tuple[tuple[IncidentKind, str], ...]:
    found = ((kind, kind.role(rule)) for kind in incident_kinds().values())
    return tuple((kind, role) for kind, role in found if role)


@lru_cache(maxsize=4096)
def _is_cause(rule: str) -> bool:
    return any(kind.is_because(rule) for kind in incident_kinds().values())


def _as_transition(
    episode: str, rule: str, stream: str, sensor: str, severity: int, at: datetime
) -> Transition:
    return Transition(
        id="",
        episode=episode,
        rule=rule,
        stream=stream,
        sensor=sensor,
        kind="raised",
        severity=severity,
        observed_at=at,
        produced_at=at,
    )


_SAME = {
    "topology": "root_sensor = %(sensor)s",
    "district": "district = %(district)s",
    "near": "district = %(district)s",
    "city": "true",
}
_PAST = (
    "kind = %(kind)s AND status = 'resolved' AND confirmed_at IS NOT NULL AND {place}"
    " ORDER BY resolved_at DESC LIMIT 1"
)
_BEGIN = (
    "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode, root_sensor,"
    " district, lon, lat, opened_at, newest_at, changed_at, similar_id) VALUES (%(id)s, %(kind)s,"
    " 'candidate', %(severity)s, %(severity)s, %(episode)s, %(sensor)s, %(district)s, %(lon)s,"
    f" %(lat)s, %(at)s, %(at)s, %(now)s, %(similar)s) RETURNING {STATE}"
)
