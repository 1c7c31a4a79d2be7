"""CloudEvents 1.0, structured mode, with the extensions severity, sequence and recordedtime."""

from typing import Any

import msgspec

from alerts.delivery.formats import cityops
from alerts.delivery.formats.message import Message, Sealed

SEVERITY_NUMBER = {1: 21, 2: 17, 3: 13, 4: 9}
"""Ascending with weight, as the severity extension asks; values follow OpenTelemetry's ranges."""


def render(message: Message) -> Sealed:
    """Return the structured event; its data is the platform's own body."""
    lead, own = message.worst, msgspec.json.decode(cityops.render(message).body)
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": message.id,
        "source": "/cityops/alerts",
        "type": f"cityops.{own['type']}",
        "subject": lead.subject if len(message.events) == 1 else message.group,
        "time": own["timestamp"],
        "recordedtime": message.sent_at.isoformat(),
        "sequence": f"{message.seq:020d}",
        "severitytext": lead.labels["severity"],
        "severitynumber": SEVERITY_NUMBER[lead.severity],
        "datacontenttype": "application/json",
        "data": own["data"],
    }
    if message.respond:
        body["respondurl"] = message.respond
    return Sealed(msgspec.json.encode(body).decode(), "application/cloudevents+json")
