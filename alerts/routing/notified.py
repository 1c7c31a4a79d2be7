"""Who knows of which subject, and what is held back from whom."""

from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Connection

from alerts.delivery.outbox import Address
from alerts.event.events import Event
from alerts.routing.routes import Leg


@dataclass(slots=True)
class Known:
    """Who was told of the subjects of this batch, at which level, and what is held back."""

    told: dict[tuple[int, str], str]
    levels: dict[tuple[int, str], int]
    held: set[tuple[int, str]]
    changed: dict[tuple[int, str], list[object]] = field(default_factory=dict)
    ended: list[tuple[int, str]] = field(default_factory=list)
    holding: dict[tuple[int, str], list[object]] = field(default_factory=dict)


def note_told(known: Known, address: Address, leg: Leg, event: Event, now: datetime) -> None:
    """Note that a receiver knows of a subject, and how the next word about it travels."""
    place = (address.id, event.subject)
    known.told[place], known.levels[place] = leg.path, event.severity
    known.changed[place] = [*place, leg.path, event.severity, now, leg.group.repeat_s]
    if place in known.held or place in known.holding:
        known.holding.pop(place, None)
        known.ended.append(place)


def load_known(conn: Connection, subjects: set[str]) -> Known:
    """Read who knows of these subjects."""
    wanted = list(subjects)
    told = conn.execute(
        "SELECT receiver, subject, route, severity FROM told WHERE subject = ANY(%s)", [wanted]
    ).fetchall()
    held = conn.execute(
        "SELECT receiver, subject FROM held WHERE subject = ANY(%s)", [wanted]
    ).fetchall()
    routes = {(receiver, subject): route for receiver, subject, route, _ in told}
    levels = {(receiver, subject): level for receiver, subject, _, level in told}
    return Known(routes, levels, {(receiver, subject) for receiver, subject in held})


def save_known(conn: Connection, known: Known) -> None:
    """Write what has changed."""
    ended = list(dict.fromkeys(known.ended))
    with conn.cursor() as cursor:
        if ended:
            gone = [p for p in ended if p not in known.changed]
            cursor.executemany("DELETE FROM held WHERE receiver = %s AND subject = %s", ended)
            cursor.executemany("DELETE FROM told WHERE receiver = %s AND subject = %s", gone)
        if known.changed:
            cursor.executemany(
                "INSERT INTO told (receiver, subject, route, severity, at, repeat_s)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (receiver, subject) DO UPDATE"
                " SET route = excluded.route, severity = excluded.severity, at = excluded.at,"
                " repeat_s = excluded.repeat_s",
                list(known.changed.values()),
            )
        holding = [row for place, row in known.holding.items() if place not in set(ended)]
        if holding:
            cursor.executemany(
                "INSERT INTO held (receiver, subject, route, reason, labels)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (receiver, subject) DO UPDATE"
                " SET reason = excluded.reason, labels = excluded.labels",
                holding,
            )
