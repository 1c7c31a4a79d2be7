"""One event in every format: by its schema, and the same facts in each."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from alerts.delivery.formats import render
from alerts.delivery.formats.cap import NAMESPACE
from alerts.delivery.formats.cityops import schema
from alerts.delivery.formats.message import Message
from alerts.delivery.links import Links
from alerts.event.events import Event, Format, Told, alert_event
from alerts.routing.stuck import stuck_event
from deploy.native import packages
from tests.support.alerting import START, of_sensor, transition

SENT = datetime(2026, 11, 24, 1, tzinfo=UTC)
SENSOR = "waterlogging-510104-01"
EARLIER = "cityops,msg_0,2026-11-24T08:59:00+08:00"
CAP_SCHEMA = Path(__file__).with_name("cap-1.2.xsd")


def event(kind: str = "raised", *, exercise: bool = False, n: int = 1, severity: int = 1) -> Event:
    t = of_sensor(
        "waterlogging", "ponding", SENSOR, n, kind=kind, severity=severity,
        metric="depth_m", value=0.5, threshold=0.27,
    )  # fmt: skip
    return alert_event(t, Told(raised_at=START, peak_severity=1), exercise=exercise)


def message(*events: Event, receiver: str = "duty") -> Message:
    return Message(
        *("msg_1", receiver, 7, events, "{rule=x}"),
        *(Links("https://console.example", b"key"), SENT, (EARLIER,)),
    )


@pytest.mark.parametrize("events", [(event(),), (event("cleared"),), (event(), event(n=2))])
def test_our_bodies_follow_the_published_schema(events: tuple[Event, ...]) -> None:
    body = json.loads(render("cityops", message(*events)).body)
    jsonschema.validate(body, schema(), cls=jsonschema.Draft202012Validator)
    assert body["sequence"] == 7
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body | {"type": "nothing"}, schema())


def test_a_schema_catches_a_body_without_its_level() -> None:
    body = json.loads(render("cityops", message(event())).body)
    del body["data"]["severity"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, schema())


def test_alertmanager_version_4_says_the_same() -> None:
    body = json.loads(render("alertmanager", message(event(), event("cleared", n=2))).body)
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "duty")
    first, second = body["alerts"]
    assert first["labels"]["alertname"] == "waterlogging.ponding"
    assert first["labels"]["district"] == "510104"
    assert (first["status"], first["endsAt"][:4]) == ("firing", "0001")
    assert (second["status"], second["endsAt"][:4]) == ("resolved", "2026")
    assert body["commonLabels"]["sensor"] == SENSOR
    assert body["notification_reason"] == "some alerts resolved"
    again = json.loads(render("alertmanager", message(event(severity=3))).body)
    assert again["alerts"][0]["fingerprint"] == first["fingerprint"], "level is no identity"


@pytest.mark.parametrize(
    ("events", "status", "kind"),
    [
        ((event(),), "Actual", "Alert"),
        ((event("changed"),), "Actual", "Update"),
        ((event("cleared"),), "Actual", "Cancel"),
        ((event(exercise=True),), "Exercise", "Alert"),
        ((event(), event(exercise=True, n=2)), "Exercise", "Alert"),
    ],
)
def test_cap_is_actual_only_for_real_devices(
    events: tuple[Event, ...], status: str, kind: str
) -> None:
    sealed = render("cap", message(*events))
    root = ET.fromstring(sealed.body)
    said = {name: _text(root, name) for name in ("status", "msgType", "sent", "identifier")}
    wanted = {"status": status, "msgType": kind, "identifier": "msg_1"}
    assert said == wanted | {"sent": "2026-11-24T09:00:00+08:00"}
    assert _text(root, "references") == ("" if kind == "Alert" else EARLIER)
    infos = root.findall(f"{{{NAMESPACE}}}info")
    assert [_text(i, "language") for i in infos] == ["zh-CN", "en"] * len(events)
    zh = infos[0]
    assert (_text(zh, "category"), _text(zh, "severity")) == ("Met", "Extreme")
    assert _text(zh, "certainty") == "Observed"
    assert "锦江区" in _text(zh, "area/areaDesc")


def test_every_cap_document_is_valid_by_the_standard(tmp_path: Path) -> None:
    packages.ensure([], extra=["libxml2-utils"])
    whole = of_sensor("waterlogging", "silent_stream", "*", severity=3)
    given = [
        (event(),),
        (event("cleared"),),
        tuple(event("changed", n=n, exercise=True) for n in range(60)),
        (alert_event(whole, Told(raised_at=START, peak_severity=3), exercise=False),),
        (stuck_event("duty", 3, START, "HTTP 500 <&>\x0b", START),),
    ]
    files = [tmp_path / f"{n}.xml" for n in range(len(given))]
    for file, events in zip(files, given, strict=True):
        file.write_text(render("cap", message(*events)).body)
    assert _invalid(*files) == "", "each is valid"
    wrong = files[0].read_text().replace("+08:00", "Z")
    files[0].write_text(wrong)
    assert "sent" in _invalid(files[0]), "the schema sees what CAP forbids"


def _invalid(*files: Path) -> str:
    line = ["xmllint", "--noout", "--nonet", "--schema", str(CAP_SCHEMA), *map(str, files)]
    checked = subprocess.run(line, capture_output=True, text=True, timeout=30)
    return "" if checked.returncode == 0 else checked.stderr


def test_cloudevents_carries_the_required_attributes() -> None:
    sealed = render("cloudevents", message(event()))
    body = json.loads(sealed.body)
    assert sealed.content_type == "application/cloudevents+json"
    wanted = {"specversion": "1.0", "id": "msg_1", "type": "cityops.alert.raised"}
    assert wanted.items() <= body.items()
    assert (body["severitytext"], body["subject"]) == ("red", event().subject)


@pytest.mark.parametrize("robot", ["wecom", "dingtalk"])
def test_robots_speak_chinese_within_their_limits(robot: Any) -> None:
    many = tuple(event(n=n, exercise=True) for n in range(60))
    body = json.loads(render(robot, message(*many)).body)
    text = body["markdown"]["content"] if robot == "wecom" else body["markdown"]["text"]
    assert "【演练】红色(I级)预警" in text
    assert "积水" in text and "等 60 条" in text
    assert len(text.encode()) <= (4096 if robot == "wecom" else 20_000)


def test_an_unknown_sensor_is_told_all_the_same() -> None:
    bare = alert_event(transition(1), Told(raised_at=START, peak_severity=2), exercise=True)
    for format in ("cityops", "alertmanager", "cap", "cloudevents", "wecom", "dingtalk"):
        assert "n-1" in render(format, message(bare)).body


@pytest.mark.parametrize("format", get_args(Format))
def test_a_whole_stream_is_named_and_placed_in_every_body(format: Format) -> None:
    t = of_sensor("waterlogging", "silent_stream", "*", severity=3)
    silent = alert_event(t, Told(raised_at=START, peak_severity=3), exercise=False)
    sealed = render(format, message(silent))
    for said in ("道路积水 数据接入中断", "道路积水（全部传感器）"):
        assert said in sealed.body
    if format not in ("wecom", "dingtalk"):
        assert "Road ponding: Stream silent" in sealed.body
        assert "Road ponding (all sensors)" in sealed.body
    if format == "cityops":
        body = json.loads(sealed.body)
        jsonschema.validate(body, schema(), cls=jsonschema.Draft202012Validator)
        assert body["data"]["sensor"]["district_title"] == {"zh": "成都市", "en": "Chengdu"}
    if format == "cap":
        info = ET.fromstring(sealed.body).find(f"{{{NAMESPACE}}}info")
        assert info is not None
        assert _text(info, "area/geocode/value") == "510100"
        assert _text(info, "area/circle") == "", "no point stands for a city"


def _text(node: ET.Element, path: str) -> str:
    steps = "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))
    return node.findtext(steps) or ""


def test_an_alert_of_the_platform_itself_has_title_and_advice() -> None:
    whole = {"stream": "platform", "rule": "platform.silent", "sensor": "*"}
    t = transition(1, severity=1, **whole, metric=None, value=None, threshold=None)
    told = alert_event(t, Told(raised_at=START, peak_severity=1), exercise=False)
    body = json.loads(render("cityops", message(told)).body)
    jsonschema.validate(body, schema(), cls=jsonschema.Draft202012Validator)
    assert (told.title_zh, told.labels["alertname"]) == ("数据接入全线中断", "platform.silent")
    assert "网关" in body["data"]["advice"]["zh"]
