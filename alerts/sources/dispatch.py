"""Follow changed episodes into incidents and tell of both, in the transaction that changed them."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection

from alerts.episode.episodes import Change
from alerts.event.events import Event
from alerts.incident.correlate import follow
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.corroborate import corroborate
from alerts.wake import wake_screens
from records.openings import Facts, ask


def settle(
    conn: Connection,
    changes: Sequence[Change],
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
    *,
    burst: bool = False,
) -> None:
    """Owe receivers what they shall know of these changes, and of what they bear out; tell the
    console that there are some.

    With ``burst`` they are a piece of many, and collapse as those would together.
    """
    if not changes:
        return
    changes = [*changes, *corroborate(conn, changes, now)]
    held_back = {
        c.transition.episode: "shelved"
        for c in changes
        if c.shelved_until and c.shelved_until > now
    }
    followed = follow(conn, changes, settings, now)
    held_back |= {e: f"part of {incident}" for e, incident in followed.folded.items()}
    events = [*(c.event(settings) for c in changes), *followed.events]
    notifier.tell(conn, events, now, held_back, burst=burst)
    for change in changes:
        if change.transition.kind == "raised":
            ask(conn, _facts(change.event(settings)))
    wake_screens(conn)


def _facts(event: Event) -> Facts:
    """Return what a record that the alert opens may take from it."""
    area, data = event.area, event.data
    return {
        "episode": event.subject,
        "rule": event.labels.get("rule", ""),
        "stream": event.labels.get("stream", ""),
        "sensor": event.labels.get("sensor", ""),
        "severity": event.severity,
        "value": data.get("value"),
        "lon": area.lon if area else None,
        "lat": area.lat if area else None,
        "district": event.labels.get("district") or None,
        "address": event.where("zh"),
        "title": event.title_zh,
    }
