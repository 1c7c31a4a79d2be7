"""OASIS Common Alerting Protocol 1.2: one ``alert`` with an ``info`` per event and language.

Only alerts from real devices are ``Actual``; everything else is ``Exercise``.
"""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from alerts.delivery.formats.message import Message, Sealed
from alerts.event.events import Event
from catalog.early import LABEL
from catalog.registry import systems
from catalog.site import zone

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = "cityops"
VALID = timedelta(hours=24)
SEVERITY = {1: "Extreme", 2: "Severe", 3: "Moderate", 4: "Minor"}
URGENCY = {1: "Immediate", 2: "Immediate", 3: "Expected", 4: "Expected"}
MAX_EVENTS = 50
"""A grouped message describes this many events; the note says how many there are in all."""


def render(message: Message) -> Sealed:
    """Return the XML document."""
    root = ET.Element("alert", xmlns=NAMESPACE)
    _add(root, "identifier", message.id)
    _add(root, "sender", SENDER)
    _add(root, "sent", _local(message.sent_at))
    _add(root, "status", "Exercise" if message.exercise else "Actual")
    _add(root, "msgType", _kind(message))
    _add(root, "scope", "Restricted")
    _add(root, "restriction", message.receiver)
    shown = message.events[:MAX_EVENTS]
    _add(root, "note", f"sequence {message.seq}; {len(message.events)} event(s)")
    if message.earlier and _kind(message) != "Alert":
        _add(root, "references", " ".join(message.earlier))
    _add(root, "incidents", " ".join(dict.fromkeys(map(_word, (e.subject for e in shown)))))
    for event in shown:
        for language in ("zh-CN", "en"):
            _info(root, message, event, language)
    text = ET.tostring(root, encoding="unicode")
    return Sealed(f"<?xml version='1.0' encoding='UTF-8'?>\n{text}", "application/cap+xml")


def reference(message: str, sent: str) -> str:
    """Return how a later message names this one."""
    return f"{SENDER},{message},{sent}"


def _word(subject: str) -> str:
    """Return a subject as one word of a list; CAP quotes what has spaces."""
    return f'"{subject}"' if " " in subject else subject


def _kind(message: Message) -> str:
    if not any(event.firing for event in message.events):
        return "Cancel"
    return "Alert" if any(e.kind in ("raised", "opened") for e in message.events) else "Update"


def _info(root: ET.Element, message: Message, event: Event, language: str) -> None:
    zh = language == "zh-CN"
    info = ET.SubElement(root, "info")
    _add(info, "language", language)
    system = systems().get(event.labels.get("domain", ""))
    _add(info, "category", system.category if system else "Other")
    _add(info, "event", event.title_zh if zh else event.title_en)
    _add(info, "responseType", "Monitor" if event.firing else "AllClear")
    urgency = "Expected" if event.labels.get(LABEL) else URGENCY[event.severity]
    _add(info, "urgency", urgency if event.firing else "Past")
    _add(info, "severity", SEVERITY[event.severity])
    unsure = event.data.get("confidence") == "unconfirmed"
    _add(info, "certainty", "Likely" if unsure else "Observed")
    _add(info, "effective", _local(event.at))
    _add(info, "onset", _local(event.started_at))
    _add(info, "expires", _local(message.sent_at + VALID))
    _add(info, "senderName", "城市运行中心" if zh else "City operations centre")
    _add(info, "headline", f"{'演练 ' if event.exercise and zh else ''}{_headline(event, zh)}")
    _add(info, "description", event.text_zh if zh else event.text_en)
    _add(info, "web", message.link(event))
    _parameter(info, "cityops:type", event.type)
    if message.respond:
        _parameter(info, "cityops:respond", message.respond)
    _area(info, event, zh)


def _parameter(info: ET.Element, name: str, value: str) -> None:
    parameter = ET.SubElement(info, "parameter")
    _add(parameter, "valueName", name)
    _add(parameter, "value", value)


def _headline(event: Event, zh: bool) -> str:
    if zh:
        return f"{event.title_zh} {event.kind_zh} · {event.where('zh')}"
    return f"{event.title_en}: {event.kind}, {event.where('en')}"


def _area(info: ET.Element, event: Event, zh: bool) -> None:
    area = ET.SubElement(info, "area")
    if event.area is None:
        _add(area, "areaDesc", "成都市" if zh else "Chengdu")
        return
    _add(area, "areaDesc", event.area.zh if zh else event.area.en)
    if event.area.lat is not None:
        _add(area, "circle", f"{event.area.lat:.5f},{event.area.lon:.5f} 0.5")
    code = ET.SubElement(area, "geocode")
    _add(code, "valueName", "GB/T 2260")
    _add(code, "value", event.area.district)


def _local(at: datetime) -> str:
    """Return the time with a numeric offset; CAP forbids ``Z``."""
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return moment.astimezone(zone()).isoformat(timespec="seconds")


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = "".join(c for c in text if c >= " " or c in "\n\t")
