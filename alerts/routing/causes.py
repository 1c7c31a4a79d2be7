"""Notices of one incident to one receiver come as one: which belong together, which cannot wait."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection

from alerts.event.events import Event

NEVER = 5
"""A level below all others: nothing has been told yet."""
WORST = 1


@dataclass(frozen=True, slots=True)
class Causes:
    """The confirmed incidents that events belong to, and what their receivers knew before.

    An incident below an open parent stands for nothing of its own: all goes by the parent.
    """

    of: dict[str, str]
    alerts: dict[tuple[int, str], int]
    """Worst level told of an alert of the incident, by receiver and incident."""
    incidents: dict[tuple[int, str], int]
    """Response level told, by receiver and incident."""
    waiting: dict[tuple[int, str], str]
    """Group in which an earlier notice still waits, by receiver and subject."""

    def is_urgent(self, receiver: int, event: Event) -> bool:
        """Tell whether a notice goes out at once and takes along what waits for its group.

        So does a level worse than any that was told, every alert that becomes red, and what
        becomes of the incident itself.
        """
        place = (receiver, self.of[event.subject])
        if event.type.startswith("incident."):
            worse = event.severity < self.incidents.get(place, NEVER)
            return worse or (event.subject == place[1] and event.kind != "changed")
        worse = event.severity < self.alerts.get(place, NEVER)
        return event.firing and (worse or event.severity == WORST)


NO_CAUSES = Causes({}, {}, {}, {})


def load_causes(conn: Connection, events: Sequence[Event]) -> Causes:
    """Read to which confirmed incidents these events belong; before they are noted as told."""
    subjects = [event.subject for event in events]
    incidents = [e.subject for e in events if e.type.startswith("incident.")]
    given = {"subjects": subjects, "incidents": incidents}
    of = dict(conn.execute(_ROOT_OF_ALERTS.encode(), given).fetchall())
    of |= dict(conn.execute(_ROOT_OF_INCIDENTS.encode(), given).fetchall())
    waiting = conn.execute(
        "SELECT receiver, event->>'subject', max(group_key) FROM notices"
        " WHERE event->>'subject' = ANY(%s) GROUP BY 1, 2",
        [subjects],
    ).fetchall()
    groups = {(receiver, subject): group for receiver, subject, group in waiting}
    if not of:
        return Causes({}, {}, {}, groups)
    wanted = list(set(of.values()))
    alerts = conn.execute(_ALERTS_TOLD.encode(), {"wanted": wanted})
    levels = conn.execute(_INCIDENTS_TOLD.encode(), {"wanted": wanted})
    return Causes(
        of,
        {(receiver, incident): level for receiver, incident, level in alerts},
        {(receiver, incident): level for receiver, incident, level in levels},
        groups,
    )


_PARENT = (
    "LEFT JOIN incidents p ON p.id = i.parent"
    " AND (p.resolved_at IS NULL OR p.id = ANY(%(incidents)s))"
)
_ROOT_OF_ALERTS = (
    "SELECT m.episode, coalesce(p.id, i.id) FROM incident_members m"
    f" JOIN incidents i ON i.id = m.incident {_PARENT}"
    " WHERE m.episode = ANY(%(subjects)s) AND i.confirmed_at IS NOT NULL"
    " AND (i.resolved_at IS NULL OR i.id = ANY(%(incidents)s))"
)
_ROOT_OF_INCIDENTS = (
    f"SELECT i.id, coalesce(p.id, i.id) FROM incidents i {_PARENT} WHERE i.id = ANY(%(incidents)s)"
)
_ROOT = "CASE WHEN i.id = ANY(%(wanted)s) THEN i.id ELSE i.parent END"
_ALERTS_TOLD = (
    f"SELECT t.receiver, {_ROOT}, min(t.severity) FROM incidents i"
    " JOIN incident_members m ON m.incident = i.id JOIN told t ON t.subject = m.episode"
    " WHERE i.id = ANY(%(wanted)s) OR i.parent = ANY(%(wanted)s) GROUP BY 1, 2"
)
_INCIDENTS_TOLD = (
    f"SELECT t.receiver, {_ROOT}, min(t.severity) FROM incidents i JOIN told t ON t.subject = i.id"
    " WHERE i.id = ANY(%(wanted)s) OR i.parent = ANY(%(wanted)s) GROUP BY 1, 2"
)
