"""The webhook of Prometheus Alertmanager, version "4", for tools that read that already."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from alerts.delivery.formats.message import Message, Sealed
from alerts.event.events import Event
from alerts.event.labels import Labels

NO_END = datetime(1, 1, 1, tzinfo=UTC)
REASONS = {"raised": "first notification", "repeated": "repeat interval elapsed"}


def render(message: Message) -> Sealed:
    """Return the version 4 payload."""
    alerts = [_alert(message, event) for event in message.events]
    firing = any(event.firing for event in message.events)
    body = {
        "version": "4",
        "groupKey": message.group or message.events[0].subject,
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": message.receiver,
        "groupLabels": _common([{"alertname": e.labels["alertname"]} for e in message.events]),
        "commonLabels": _common([a["labels"] for a in alerts]),
        "commonAnnotations": _common([a["annotations"] for a in alerts]),
        "externalURL": message.console,
        "notification_reason": _reason(message, firing),
        "alerts": alerts,
    }
    return Sealed(msgspec.json.encode(body).decode())


def fingerprint(labels: Labels) -> str:
    """Return 16 hex digits that stand for a label set (not Alertmanager's own FNV value)."""
    text = "\xff".join(f"{k}\xfe{v}" for k, v in sorted(labels.items()))
    return sha256(text.encode()).hexdigest()[:16]


def identity(labels: Labels) -> Labels:
    """Return the labels without those that change while an alert lasts."""
    return {k: v for k, v in labels.items() if k not in ("severity", "flapping") and v}


def annotations_of(event: Event) -> dict[str, str]:
    """Return summary and description, zh first."""
    return {
        "summary": f"{event.title_zh} {event.title_en}".strip(),
        "description": event.text_zh,
        "description_en": event.text_en,
    }


def _alert(message: Message, event: Event) -> dict[str, Any]:
    exercise = {"exercise": "true"} if event.exercise else {}
    return {
        "status": "firing" if event.firing else "resolved",
        "labels": {k: v for k, v in event.labels.items() if v} | exercise,
        "annotations": annotations_of(event) | _respond(message),
        "startsAt": event.started_at.isoformat(),
        "endsAt": (event.ended_at or NO_END).isoformat(),
        "generatorURL": message.link(event),
        "fingerprint": fingerprint(identity(event.labels)),
    }


def _respond(message: Message) -> dict[str, str]:
    return {"respond": message.respond} if message.respond else {}


def _common(sets: list[dict[str, str]]) -> dict[str, str]:
    return {k: v for k, v in sets[0].items() if all(s.get(k) == v for s in sets[1:])}


def _reason(message: Message, firing: bool) -> str:
    if not firing:
        return "all alerts resolved"
    kinds = {event.kind for event in message.events}
    if "cleared" in kinds or "resolved" in kinds:
        return "some alerts resolved"
    return REASONS.get(message.events[0].kind, "new alerts added")
