"""Follow changed episodes into incidents and tell of both, in the transaction that changed them."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection

from alerts.episode.episodes import Change
from alerts.incident.correlate import follow
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.wake import wake_screens


def settle(
    conn: Connection,
    changes: Sequence[Change],
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
    *,
    burst: bool = False,
) -> None:
    """Owe receivers what they shall know of these changes; tell the console that there are some.

    With ``burst`` they are a piece of many, and collapse as those would together.
    """
    if not changes:
        return
    held_back = {
        c.transition.episode: "shelved"
        for c in changes
        if c.shelved_until and c.shelved_until > now
    }
    followed = follow(conn, changes, settings, now)
    held_back |= {e: f"part of {incident}" for e, incident in followed.folded.items()}
    events = [*(c.event(settings) for c in changes), *followed.events]
    notifier.tell(conn, events, now, held_back, burst=burst)
    wake_screens(conn)
