"""Alerts from elsewhere (Prometheus, Grafana, another Alertmanager): the same episodes, care,
routes and delivery as those of our own rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from psycopg import Connection
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from alerts.bodies.alertmanager import fingerprint
from alerts.episodes import Change, Origin, apply
from alerts.labels import Labels
from alerts.notify import Notifier
from alerts.outbox import lock_writers
from alerts.settings import AlertSettings
from alerts.settle import settle
from catalog.contracts import Transition

STREAM = "external"
RESOLVE_AFTER = timedelta(minutes=5)
"""An alert pushed without an end is over when it is not pushed again for so long, as in
Alertmanager's ``resolve_timeout``."""
LEVELS = {
    **dict.fromkeys(("red", "critical", "emergency", "page", "i", "1"), 1),
    **dict.fromkeys(("orange", "error", "high", "major", "ii", "2"), 2),
    **dict.fromkeys(("yellow", "warning", "medium", "minor", "iii", "3"), 3),
    **dict.fromkeys(("blue", "info", "low", "notice", "none", "iv", "4"), 4),
}
"""The label ``severity`` as others write it; an unknown or absent one is yellow."""
OURS = ("rule", "stream", "severity", "origin", "flapping", "incident")
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$")]
Value = Annotated[str, StringConstraints(max_length=4096)]


class Foreign(BaseModel):
    """One alert as Alertmanager's API and webhooks write it. ``labels.alertname`` names it.

    ``labels.domain``, ``district`` and ``sensor`` are used for routing as our own are. Without
    ``status`` an ``endsAt`` in the past means that it is over.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    labels: dict[Name, Value] = Field(min_length=1, max_length=64)
    annotations: dict[Name, Value] = Field(default={}, max_length=64)
    status: Literal["firing", "resolved"] | None = None
    starts_at: AwareDatetime | None = Field(default=None, alias="startsAt")
    ends_at: AwareDatetime | None = Field(default=None, alias="endsAt")
    generator_url: str = Field(default="", alias="generatorURL", max_length=4096)

    @field_validator("starts_at", "ends_at")
    @classmethod
    def _year_one_is_none(cls, at: datetime | None) -> datetime | None:
        return at if at and at.year > 1 else None

    def firing(self, now: datetime) -> bool:
        """Tell whether the alert is on."""
        if self.status is not None:
            return self.status == "firing"
        return self.ends_at is None or self.ends_at > now


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a push."""

    received: int
    changed: int


def take(
    conn: Connection,
    alerts: Sequence[Foreign],
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
    *,
    pushed: bool = False,
) -> Taken:
    """Make episodes of alerts from elsewhere and tell of them, in one transaction.

    ``pushed`` alerts are sent again while they last, so they end by themselves when they are not.
    """
    with conn.transaction():
        lock_writers(conn)
        changes = [c for alert in alerts if (c := _take_one(conn, alert, now, pushed))]
        settle(conn, changes, notifier, settings, now)
    return Taken(len(alerts), len(changes))


def expire(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    """End pushed alerts that were not pushed again in time; return how many."""
    changes = []
    for row in _open(conn, "expires_at <= %s LIMIT 500", [now]):
        if change := apply(conn, _transition(row, "cleared", row.severity, now, now)):
            conn.execute(
                "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, 'cityops',"
                " 'expired', 'not reported again in time')",
                [row.id],
            )
            changes.append(change)
    settle(conn, changes, notifier, settings, now)
    return len(changes)


def level_of(labels: Labels) -> int:
    """Return our severity (1 to 4) of another system's labels."""
    return LEVELS.get(labels.get("severity", "").strip().lower(), 3)


def _take_one(conn: Connection, alert: Foreign, now: datetime, pushed: bool) -> Change | None:
    labels = {k: v for k, v in alert.labels.items() if k not in OURS and v}
    name = labels.setdefault("alertname", "unnamed")
    mark = fingerprint(labels)
    rule = f"{STREAM}.{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')[:60] or 'unnamed'}"
    subject = f"{labels.get('sensor') or labels.get('instance') or name} {mark[:8]}"
    found = _open(conn, "rule = %s AND sensor = %s", [rule, subject])
    level, firing = level_of(alert.labels), alert.firing(now)
    begun = min(alert.starts_at or now, now)
    if not found:
        if not firing:
            return None
        episode = fingerprint(labels | {"rule": rule, "at": now.isoformat()})
        fresh = _Open(episode, rule, subject, level)
        labels |= {"origin": STREAM, "rule": rule}
        notes = alert.annotations | ({"source": alert.generator_url} if alert.generator_url else {})
        origin = Origin(labels, notes, _expiry(alert, now, pushed))
        return apply(conn, _transition(fresh, "raised", level, begun, now), origin)
    (row,) = found
    if not firing:
        return apply(
            conn, _transition(row, "cleared", row.severity, min(alert.ends_at or now, now), now)
        )
    conn.execute(
        "UPDATE episodes SET expires_at = %s, annotations = annotations || %s WHERE id = %s",
        [_expiry(alert, now, pushed), Jsonb(alert.annotations), row.id],
    )
    return (
        apply(conn, _transition(row, "changed", level, now, now)) if level != row.severity else None
    )


def _expiry(alert: Foreign, now: datetime, pushed: bool) -> datetime | None:
    return (alert.ends_at or now + RESOLVE_AFTER) if pushed else None


class _Open(msgspec.Struct, frozen=True):
    id: str
    rule: str
    sensor: str
    severity: int


def _open(conn: Connection, condition: str, values: list[object]) -> list[_Open]:
    query = (
        f"SELECT id, rule, sensor, severity FROM episodes WHERE stream = '{STREAM}'"
        f" AND cleared_at IS NULL AND {condition}"
    )
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return [_Open(*row) for row in cursor.execute(query.encode(), values)]


def _transition(
    row: _Open,
    kind: Literal["raised", "changed", "cleared"],
    severity: int,
    at: datetime,
    now: datetime,
) -> Transition:
    return Transition(
        id=f"{row.id}/{kind}/{int(now.timestamp() * 1_000_000)}",
        episode=row.id,
        rule=row.rule,
        stream=STREAM,
        sensor=row.sensor,
        kind=kind,
        severity=severity,
        previous=None if kind == "raised" else row.severity,
        observed_at=at,
        produced_at=now,
    )
