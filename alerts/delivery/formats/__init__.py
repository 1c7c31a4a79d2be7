"""Bodies of webhooks: the same events in the format that a receiver reads."""

from alerts.delivery.formats import alertmanager, cap, cityops, cloudevents, robots
from alerts.delivery.formats.message import Message, Sealed
from alerts.event.events import Format

RENDER = {
    "cityops": cityops.render,
    "alertmanager": alertmanager.render,
    "cap": cap.render,
    "cloudevents": cloudevents.render,
    "wecom": robots.wecom,
    "dingtalk": robots.dingtalk,
}


def render(format: Format, message: Message) -> Sealed:
    """Return the body of a message and its content type."""
    return RENDER[format](message)
