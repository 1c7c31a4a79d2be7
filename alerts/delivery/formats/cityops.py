"""The platform's own format, by Standard Webhooks: ``type``, ``timestamp``, ``data``.

The published JSON Schema is ``alerts/schemas/webhook.schema.json``.
"""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from alerts.delivery.formats.message import Message, Sealed
from alerts.event.events import Event

SCHEMA_FILE = Path(__file__).parents[2] / "schemas" / "webhook.schema.json"
GROUPED = "alerts.grouped"


def render(message: Message) -> Sealed:
    """Return one event as it is, several as ``alerts.grouped``."""
    first, *others = message.events
    body = _grouped(message) if others else _single(first)
    body["sequence"] = message.seq
    if message.respond:
        body["respond"] = message.respond
    return Sealed(msgspec.json.encode(body).decode())


@cache
def schema() -> dict[str, Any]:
    """Return the published JSON Schema of the bodies."""
    return json.loads(SCHEMA_FILE.read_text())


def _single(event: Event) -> dict[str, Any]:
    return {"type": event.type, "timestamp": event.at.isoformat(), "data": event.data}


def _grouped(message: Message) -> dict[str, Any]:
    counts = Counter(event.kind for event in message.events)
    newest = max(event.at for event in message.events)
    data = {
        "group": message.group,
        "counts": dict(counts),
        "exercise": message.exercise,
        "alerts": [_single(event) for event in message.events],
    }
    return {"type": GROUPED, "timestamp": newest.isoformat(), "data": data}
