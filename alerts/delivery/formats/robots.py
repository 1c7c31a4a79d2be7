"""Group robots of WeCom (企业微信) and DingTalk (钉钉): Chinese markdown with a link."""

import msgspec

from alerts.delivery.formats.message import Message, Sealed
from alerts.event.events import Event
from catalog.model import Severity
from catalog.severity import LEVELS
from catalog.site import zone

SHOWN = 10
WECOM_LIMIT_BYTES = 4096
DINGTALK_LIMIT_BYTES = 20_000


def wecom(message: Message) -> Sealed:
    """Return the body of a WeCom group robot (markdown, at most 4 096 bytes)."""
    text = _cut(_markdown(message), WECOM_LIMIT_BYTES)
    body = {"msgtype": "markdown", "markdown": {"content": text}}
    return Sealed(msgspec.json.encode(body).decode())


def dingtalk(message: Message) -> Sealed:
    """Return the body of a DingTalk robot (markdown with a title)."""
    text = _cut(_markdown(message), DINGTALK_LIMIT_BYTES)
    body = {"msgtype": "markdown", "markdown": {"title": _title(message), "text": text}}
    return Sealed(msgspec.json.encode(body).decode())


def _title(message: Message) -> str:
    lead = message.worst
    many = len(message.events) > 1
    more = f" 等 {len(message.events)} 条" if many else f" · {lead.where('zh')}"
    drill = "【演练】" if message.exercise else ""
    return f"{drill}{_level(lead)}预警 {lead.title_zh} {lead.kind_zh}{more}"


def _markdown(message: Message) -> str:
    lines = [f"### {_title(message)}"]
    if message.respond:
        lines.append(f"[收到 / 接受 / 到场 / 完成]({message.respond})")
    lines += [_line(message, event) for event in message.events[:SHOWN]]
    if len(message.events) > SHOWN:
        lines.append(f"另有 {len(message.events) - SHOWN} 条,详见 [控制台]({message.console})")
    return "\n\n".join(lines)


def _line(message: Message, event: Event) -> str:
    when = event.at.astimezone(zone()).strftime("%m-%d %H:%M:%S")
    where = f" {event.area.zh}" if event.area else ""
    head = f"{LEVELS[Severity(event.severity)].icon} **{_level(event)} {event.title_zh}**"
    link = f"[查看]({message.link(event)})"
    return f"{head} {event.kind_zh}{where}\n> {when} {event.text_zh} {link}"


def _level(event: Event) -> str:
    level = LEVELS[Severity(event.severity)]
    return f"{level.title.zh}({level.roman}级)"


def _cut(text: str, limit: int) -> str:
    """Return the text within ``limit`` bytes of UTF-8, cut between characters."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[: limit - 3].decode(errors="ignore") + "…"
