"""Notice that the rules are no longer judged, by the database alone.

While the worker judges, the checkpoint of each partition moves every few seconds, for the ticks it
writes come back to it through the broker. When broker or worker stand still, no alert can be raised
by a rule and none of silence either; this one needs neither of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from psycopg import Connection

from alerts.episode.episodes import apply
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from catalog.contracts import Transition
from catalog.platform import JUDGING, JUDGING_ID, PLATFORM, RULES
from catalog.registry import streams
from catalog.rules import STREAM_SUBJECT
from catalog.topics import readings_topic

LOOK_S = 5.0
GAP_S = 30.0
"""After a longer pause between two looks (database away, process frozen) counting begins anew."""

Place = tuple[str, int]


@dataclass(slots=True)
class Moved:
    """Where a partition was seen, since when (monotonic), and whether it was seen to move."""

    offset: int
    at: float
    ever: bool = False


@dataclass(slots=True)
class Judging:
    """What this process has seen of the worker's checkpoints; wrong clocks do not reach it."""

    monotonic: Callable[[], float] = time.monotonic
    _places: dict[Place, Moved] = field(default_factory=dict)
    _looked: float | None = None

    def watch(
        self, conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime
    ) -> int:
        """Raise the alert when a partition stands still, clear it when all are seen to move."""
        at = self.monotonic()
        if self._looked is not None and at - self._looked < LOOK_S:
            return 0
        if self._looked is not None and at - self._looked > GAP_S:
            self._places = {}
        self._looked = at
        self._look(conn, settings, at)
        row = conn.execute(
            "SELECT id FROM episodes WHERE rule = %s AND cleared_at IS NULL", [JUDGING_ID]
        ).fetchone()
        if row is None and self._stands(at):
            fresh = f"{JUDGING_ID}-{now.timestamp():.0f}"  # it stands in addresses of pages
            return say(JUDGING_ID, "raised", fresh, conn, notifier, settings, now)
        if row is not None and self._moves(at):
            return say(JUDGING_ID, "cleared", row[0], conn, notifier, settings, now)
        return 0

    def _look(self, conn: Connection, settings: AlertSettings, at: float) -> None:
        topics = [readings_topic(settings.topic_prefix, name) for name in streams()]
        found = conn.execute(
            "SELECT topic, partition, next_offset FROM checkpoints WHERE topic = ANY(%s)", [topics]
        ).fetchall()
        before, self._places = self._places, {}
        for topic, partition, offset in found:
            seen = before.get((topic, partition)) or Moved(offset, at)
            if seen.offset != offset:
                seen = Moved(offset, at, ever=True)
            self._places[topic, partition] = seen

    def _stands(self, at: float) -> bool:
        return any(at - seen.at >= JUDGING.after_s for seen in self._places.values())

    def _moves(self, at: float) -> bool:
        places = self._places.values()
        return bool(places) and all(seen.ever for seen in places) and not self._stands(at)


def say(
    rule: str,
    kind: Literal["raised", "cleared"],
    episode: str,
    conn: Connection,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> int:
    """Raise or clear an alert of the platform's own."""
    told = Transition(
        id=f"{episode}/{kind}",
        episode=episode,
        rule=rule,
        stream=PLATFORM,
        sensor=STREAM_SUBJECT,
        kind=kind,
        severity=int(RULES[rule].severity),
        observed_at=now,
        produced_at=now,
    )
    change = apply(conn, told)
    settle(conn, [change] if change else [], notifier, settings, now)
    return 1
