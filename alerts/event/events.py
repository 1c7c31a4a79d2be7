"""What there is to tell of an alert: one event, from which every body format is rendered."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from alerts.event.area import Area, area_of
from alerts.event.explained import explanation_text
from alerts.event.labels import (
    Labels,
    alert_labels,
    district_words,
    sensor_of,
    severity_name,
    stream_of,
)
from alerts.event.reasons import REASONS
from catalog.contracts import Transition
from catalog.group_names import group_district, group_title
from catalog.joint import GROUPS
from catalog.model import (
    STREAM_SUBJECT,
    AnyRule,
    JointRule,
    Severity,
    Source,
    Stream,
    Text,
    ThresholdRule,
    UnusualRule,
    text,
)
from catalog.places import Sensor
from catalog.platform import PLATFORM, PLATFORM_TITLE
from catalog.registry import find_rule
from catalog.severity import LEVELS
from catalog.site import site
from catalog.unusual import alert_unit, compared, joint_words, words_of

ENDED = ("cleared", "withdrawn")
"""Kinds of transition that end an alert."""
KINDS = {"raised": "发生", "changed": "变化", "cleared": "解除", "repeated": "持续"} | {
    "withdrawn": "撤销",
    "escalated": "升级",
    "opened": "疑似",
    "confirmed": "核实",
    "resolved": "解除",
    "reopened": "再次发生",
    "merged": "合并",
    "started": "开始",
    "ended": "结束",
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to one subject (an episode, an incident, a drill, a delivery).

    ``type`` is dotted (``alert.raised``), ``subject`` the id that stays the same from opening to
    end, ``at`` event time, ``data`` the body of the cityops format. ``exercise`` is true for all
    that does not come from real devices.
    """

    type: str
    subject: str
    at: datetime
    firing: bool
    severity: int
    labels: Labels
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    started_at: datetime
    ended_at: datetime | None = None
    area: Area | None = None
    exercise: bool = True
    produced_at: datetime | None = None
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """Last part of the type: ``raised``, ``cleared``, …"""
        return self.type.rsplit(".", 1)[-1]

    @property
    def kind_zh(self) -> str:
        """The kind in Chinese."""
        return "已核实" if self.type == "alert.confirmed" else KINDS.get(self.kind, self.kind)

    def where(self, language: Literal["zh", "en"]) -> str:
        """Return where, as people say it: the sensor's name with its district, else an area."""
        sensor, place = self.data.get("sensor", {}), self.data.get("place", {})
        district = sensor.get("district_title", {}).get(language, "")
        name = sensor.get("title", place).get(language, "")
        if name:
            return name if district in name else f"{district} {name}"
        known = getattr(self.area, language, "")
        return known or self.labels.get("sensor") or self.subject


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the alert's own row adds to a transition."""

    raised_at: datetime
    peak_severity: int
    flapping: bool = False
    latched: bool = False
    labels: Labels = {}
    annotations: dict[str, str] = {}
    explanation: dict[str, Any] | None = None


def alert_event(
    t: Transition, told: Told, *, exercise: bool, kind: str = "", more: dict[str, Any] | None = None
) -> Event:
    """Return the event of a transition; ``kind`` overrides the transition's."""
    stream = stream_of(t.stream)
    rule = find_rule(t.rule)
    labels = alert_labels(t.rule, t.stream, t.sensor, t.severity) | told.labels
    labels["flapping"] = "true" if told.flapping else "false"
    title = _title(t, stream, rule, told)
    zh, en = _texts(t, stream, rule, told)
    return Event(
        type=f"alert.{kind or t.kind}",
        subject=t.episode,
        at=t.observed_at,
        firing=t.kind not in ENDED,
        severity=t.severity,
        labels=labels | {"severity": severity_name(t.severity)},
        title_zh=title.zh,
        title_en=title.en,
        text_zh=zh,
        text_en=en,
        started_at=told.raised_at,
        ended_at=t.observed_at if t.kind in ENDED else None,
        area=area_of(t.stream, t.sensor, whole=_whole(t, stream) is not None, labels=told.labels),
        exercise=exercise,
        produced_at=t.produced_at,
        data=_alert_data(t, told, stream, exercise) | (more or {}),
    )


def doubt_of(t: Transition) -> Text | None:
    """Return what there is to say of a value that is doubtful or wrong, of a sensor's silence."""
    known = [REASONS.get(name, text(name, name)) for name in t.reason.split(",") if name]
    zh, en = "、".join(r.zh for r in known), ", ".join(r.en for r in known)
    if t.kind == "withdrawn":
        return text(f"撤销：{zh}", f"withdrawn: {en}")
    if t.confidence == "unconfirmed":
        return text(f"待核实：{zh}", f"unconfirmed: {en}")
    return text(zh, en) if known else None


def rule_title(rule_id: str, severity: int = 0) -> Text:
    """Return what an alert of a rule is called at a severity; the id of a rule that is unknown."""
    rule = find_rule(rule_id)
    return _title_at(rule, severity) if rule else text(rule_id, rule_id)


def _title_at(rule: AnyRule, severity: int) -> Text:
    return rule.title_at(severity) if isinstance(rule, ThresholdRule | JointRule) else rule.title


def level_data(severity: int) -> dict[str, Any]:
    """Return a severity as every body of ours says it."""
    level = LEVELS[Severity(severity)]
    title = level.title.model_dump()
    return {"level": severity, "roman": level.roman, "title": title, "colour": level.colour}


def sensor_data(known: Sensor | None, sensor_id: str) -> dict[str, Any]:
    """Return a sensor as every body of ours says it."""
    if known is None:
        return {"id": sensor_id}
    return {
        "id": known.id,
        "title": known.title.model_dump(),
        "district": known.district,
        "district_title": district_words(known.district).model_dump(),
        "street": known.street,
        "lon": known.lon,
        "lat": known.lat,
    }


def _whole(t: Transition, stream: Stream | None) -> Text | None:
    """Return the name of a whole stream or platform that an alert is on; None when on a sensor."""
    if t.sensor != STREAM_SUBJECT:
        return None
    if t.stream == PLATFORM:
        return PLATFORM_TITLE
    return whole_stream(stream) if stream else None


def whole_stream(stream: Stream) -> Text:
    """Return how all sensors of a stream are named where others name one."""
    return text(f"{stream.title.zh}（全部传感器）", f"{stream.title.en} (all sensors)")


def _subject(t: Transition, stream: Stream | None, labels: Labels) -> dict[str, Any]:
    """Return the sensor, or the stream as a whole, as every body of ours says it."""
    if t.stream == GROUPS:
        return _group(t.sensor)
    if (whole := _whole(t, stream)) is None:
        return sensor_data(sensor_of(t.stream, t.sensor, labels), t.sensor)
    place = {"district": site().code, "district_title": site().title.model_dump()}
    return {"id": t.sensor, "title": whole.model_dump(), **place}


def _group(subject: str) -> dict[str, Any]:
    """Return a group of sensors as every body of ours says its subject."""
    code = group_district(subject)
    known = site().districts.get(code)
    title = (known.title if known else site().title).model_dump()
    place = {"district": code or site().code, "district_title": title}
    return {"id": subject, "title": group_title(subject).model_dump(), **place}


def _title(t: Transition, stream: Stream | None, rule: AnyRule | None, told: Told) -> Text:
    if rule is None:
        summary = told.annotations.get("summary", t.rule)
        return text(summary, summary)
    if stream is None or t.sensor != STREAM_SUBJECT:
        return _title_at(rule, t.severity)
    return text(f"{stream.title.zh} {rule.title.zh}", f"{stream.title.en}: {rule.title.en}")


def _alert_data(t: Transition, told: Told, stream: Stream | None, exercise: bool) -> dict[str, Any]:
    data = msgspec.to_builtins(t) | {
        "severity": level_data(t.severity),
        "sensor": _subject(t, stream, told.labels),
        "raised_at": told.raised_at.isoformat(),
        "peak_severity": told.peak_severity,
        "flapping": told.flapping,
        "latched": told.latched,
        "exercise": exercise,
    }
    if told.labels:
        data |= {"labels": told.labels, "annotations": told.annotations}
    if told.explanation:
        said = explanation_text(told.explanation).model_dump()
        data["explanation"] = told.explanation | {"text": said}
    return data | _declared(stream, t, told)


def _declared(stream: Stream | None, t: Transition, told: Told) -> dict[str, Any]:
    rule = find_rule(t.rule)
    said: dict[str, Any] = {"domain": stream.domain} if stream else {}
    if stream and t.metric:
        said["unit"] = alert_unit(t.rule, t.stream, t.metric)
    if rule is not None:
        title = _title(t, stream, rule, told)
        said |= {"title": title.model_dump(), "advice": rule.advice.model_dump()}
    if isinstance(rule, ThresholdRule | UnusualRule | JointRule):
        said["source"] = _source(rule, t.severity)
    return said


def _source(rule: ThresholdRule | UnusualRule | JointRule, severity: int) -> dict[str, Any] | None:
    found = [t.source for t in rule.thresholds if t.severity == severity]
    if not found:
        return None
    source: Source = found[-1]
    return {"standard": source.standard, "clause": source.clause, "verified": source.verified}


def _texts(
    t: Transition, stream: Stream | None, rule: AnyRule | None, told: Told
) -> tuple[str, str]:
    said = [_place(t, stream)]
    if isinstance(rule, UnusualRule) and stream and t.value is not None:
        said.append(words_of(rule, stream, t.value, t.threshold))
    elif stream and t.metric and t.value is not None:
        said.append(compared(stream, t.metric, t.value, t.threshold))
    elif isinstance(rule, JointRule) and t.value is not None and t.threshold is not None:
        said.append(joint_words(t.value, t.threshold))
    if told.explanation and t.kind not in ENDED:
        said.append(explanation_text(told.explanation))
    if described := told.annotations.get("description"):
        said.append(text(described, told.annotations.get("description_en", described)))
    if doubt := doubt_of(t):
        said.append(doubt)
    if rule is not None and t.kind not in ENDED:
        said.append(rule.advice)
    return " · ".join(x.zh for x in said), " · ".join(x.en for x in said)


def _place(t: Transition, stream: Stream | None) -> Text:
    if whole := _whole(t, stream):
        return whole
    if t.stream == GROUPS:
        return group_title(t.sensor)
    known = sensor_of(t.stream, t.sensor)
    return known.title if known else text(t.sensor, t.sensor)


Format = Literal["cityops", "alertmanager", "cap", "cloudevents", "wecom", "dingtalk"]
