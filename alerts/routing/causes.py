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
    """The confirmed incidents that events belong to, and what their receivers knew before."""

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
            return worse or event.kind != "changed"
        worse = event.severity < self.alerts.get(place, NEVER)
        return event.firing and (worse or event.severity == WORST)


NO_CAUSES = Causes({}, {}, {}, {})


def load_causes(conn: Connection, events: Sequence[Event]) -> Causes:
    """Read to which confirmed incidents these events belong; before they are noted as told."""
    subjects = [event.subject for event in events]
    incidents = [e.subject for e in events if e.type.startswith("incident.")]
    rows = conn.execute(
        "SELECT m.episode, m.incident FROM incident_members m JOIN incidents i ON i.id = m.incident"
        " WHERE m.episode = ANY(%s) AND i.confirmed_at IS NOT NULL"
        " AND (i.resolved_at IS NULL OR i.id = ANY(%s))",
        [subjects, incidents],
    ).fetchall()
    of = dict(rows) | {incident: incident for incident in incidents}
    waiting = conn.execute(
        "SELECT receiver, event->>'subject', max(group_key) FROM notices"
        " WHERE event->>'subject' = ANY(%s) GROUP BY 1, 2",
        [subjects],
    ).fetchall()
    groups = {(receiver, subject): group for receiver, subject, group in waiting}
    if not of:
        return Causes({}, {}, {}, groups)
    wanted = list(set(of.values()))
    alerts = conn.execute(
        "SELECT t.receiver, m.incident, min(t.severity) FROM told t"
        " JOIN incident_members m ON m.episode = t.subject WHERE m.incident = ANY(%s)"
        " GROUP BY t.receiver, m.incident",
        [wanted],
    )
    levels = conn.execute(
        "SELECT receiver, subject, severity FROM told WHERE subject = ANY(%s)", [wanted]
    )
    return Causes(
        of,
        {(receiver, incident): level for receiver, incident, level in alerts},
        {(receiver, incident): level for receiver, incident, level in levels},
        groups,
    )
