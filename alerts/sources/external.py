"""Alerts from elsewhere (Prometheus, Grafana, another Alertmanager): the same episodes, care,
routes and delivery as those of our own rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from alerts.delivery.outbox import lock_writers
from alerts.episode.episodes import Change, Origin, apply
from alerts.event.labels import Labels
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from alerts.sources.foreign import STREAM, Foreign
from catalog.contracts import Transition
from service.postgres import now_of

RESOLVE_AFTER = timedelta(minutes=5)
"""An alert pushed without an end is over when it is not pushed again for so long, as in
Alertmanager's ``resolve_timeout``."""
PIECE = 50
"""So many alerts are one transaction: our own pass between two of them."""
Key = tuple[str, str]


def take(
    conn: Connection,
    alerts: Sequence[Foreign],
    notifier: Notifier,
    settings: AlertSettings,
    *,
    pushed: bool = False,
) -> int:
    """Make episodes of alerts from elsewhere and tell of them; return how many changed.

    Each piece is a transaction of its own, so what was taken stays taken; the same again changes
    nothing. ``pushed`` alerts are sent again while they last: they end when they are not.
    """
    changed, burst = 0, len(alerts) > notifier.routes.file.storm
    for start in range(0, len(alerts), PIECE):
        with conn.transaction():
            lock_writers(conn)
            now = now_of(conn)
            changes = _Piece(conn, now, pushed).take(alerts[start : start + PIECE])
            settle(conn, changes, notifier, settings, now, burst=burst)
        changed += len(changes)
    return changed


def expire(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    """End some pushed alerts that were not pushed again in time; return how many."""
    changes = []
    for row in _open(conn, "expires_at <= %s ORDER BY expires_at LIMIT %s", [now, PIECE]):
        if change := apply(conn, _transition(row, "cleared", now, now)):
            conn.execute(
                "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, 'cityops',"
                " 'expired', 'not reported again in time')",
                [row.id],
            )
            changes.append(change)
    settle(conn, changes, notifier, settings, now)
    return len(changes)


class _Open(msgspec.Struct, frozen=True):
    id: str
    rule: str
    sensor: str
    severity: int


class _Piece:
    """One transaction's alerts, and the episodes that are open of them."""

    def __init__(self, conn: Connection, now: datetime, pushed: bool) -> None:
        self._conn = conn
        self._now = now
        self._pushed = pushed
        self._open: dict[Key, _Open] = {}
        self._again: list[list[object]] = []
        self._raised = 0

    def take(self, alerts: Sequence[Foreign]) -> list[Change]:
        """Apply them in the order they came."""
        keys = [key for a in alerts for key in ((a.rule, a.subject), a.before)]
        condition = "(rule, sensor) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
        wanted: list[object] = [[key[n] for key in keys] for n in (0, 1)]
        self._open = {(row.rule, row.sensor): row for row in _open(self._conn, condition, wanted)}
        changes = [c for alert in alerts if (c := self._take_one(alert))]
        with self._conn.cursor() as cursor:
            cursor.executemany(
                "UPDATE episodes SET expires_at = %s, annotations = annotations || %s"
                " WHERE id = %s",
                self._again,
            )
        return changes

    def _take_one(self, alert: Foreign) -> Change | None:
        key, firing = (alert.rule, alert.subject), alert.firing(self._now)
        row = self._open.get(key) or self._adopt(alert)
        if row is None:
            return self._raise(alert) if firing else None
        if not firing:
            del self._open[key]
            at = min(alert.ends_at or self._now, self._now)
            return apply(self._conn, _transition(row, "cleared", at, self._now))
        self._again.append([self._expiry(alert), Jsonb(alert.annotations), row.id])
        return None

    def _raise(self, alert: Foreign) -> Change | None:
        self._raised += 1
        stamp = f"{alert.identity}|{self._now.isoformat()}|{self._raised}"
        made = sha256(stamp.encode()).hexdigest()[:16]
        fresh = _Open(made, alert.rule, alert.subject, alert.level)
        self._open[alert.rule, alert.subject] = fresh
        origin = Origin(_labels(alert), alert.annotations, self._expiry(alert))
        begun = min(alert.starts_at or self._now, self._now)
        return apply(self._conn, _transition(fresh, "raised", begun, self._now), origin)

    def _adopt(self, alert: Foreign) -> _Open | None:
        """Go on with an episode of a release that knew fewer labels: the one of this level."""
        row = self._open.get(alert.before)
        if row is None or row.severity != alert.level:
            return None
        del self._open[alert.before]
        self._conn.execute(
            "UPDATE episodes SET rule = %s, sensor = %s, labels = %s WHERE id = %s",
            [alert.rule, alert.subject, Jsonb(_labels(alert)), row.id],
        )
        adopted = _Open(row.id, alert.rule, alert.subject, row.severity)
        self._open[alert.rule, alert.subject] = adopted
        return adopted

    def _expiry(self, alert: Foreign) -> datetime | None:
        return (alert.ends_at or self._now + RESOLVE_AFTER) if self._pushed else None


def _labels(alert: Foreign) -> Labels:
    return alert.labels | {"origin": STREAM, "rule": alert.rule}


def _open(conn: Connection, condition: str, values: list[object]) -> Iterable[_Open]:
    query = (
        f"SELECT id, rule, sensor, severity FROM episodes WHERE stream = '{STREAM}'"
        f" AND cleared_at IS NULL AND {condition}"
    )
    return [_Open(*row) for row in conn.execute(query.encode(), values).fetchall()]


def _transition(
    row: _Open, kind: Literal["raised", "cleared"], at: datetime, now: datetime
) -> Transition:
    return Transition(
        id=f"{row.id}/{kind}/{int(now.timestamp() * 1_000_000)}",
        episode=row.id,
        rule=row.rule,
        stream=STREAM,
        sensor=row.sensor,
        kind=kind,
        severity=row.severity,
        previous=None if kind == "raised" else row.severity,
        observed_at=at,
        produced_at=now,
    )
