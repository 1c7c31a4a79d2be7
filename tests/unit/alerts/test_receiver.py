"""The reference receiver: verifies, knows repeats, reads every kind of body."""

from datetime import UTC, datetime

from standardwebhooks import Webhook

from alerts.delivery.formats import render
from alerts.delivery.formats.message import Message
from alerts.delivery.links import Links
from alerts.delivery.log import test_event as sample_event
from alerts.delivery.receiver import Inbox
from alerts.delivery.receivers import new_secret
from alerts.event.events import Event, Told, alert_event, level_data
from tests.support.alerting import START, transition


def body(*events) -> str:  # noqa: ANN002
    message = Message(
        "msg_1", "duty", 1, events, "{rule=x}", Links("https://console.example"), START
    )
    return render("cityops", message).body


INCIDENT = Event(
    type="incident.confirmed",
    subject="inc-1",
    at=START,
    firing=True,
    severity=2,
    labels={"severity": "orange"},
    title_zh="城市内涝",
    title_en="Urban waterlogging",
    text_zh="",
    text_en="",
    started_at=START,
    data={
        "kind": "waterlogging",
        "title": {"zh": "城市内涝", "en": "Urban waterlogging"},
        "severity": level_data(2),
        "place": {"zh": "锦江区", "en": "Jinjiang"},
        "alerts": 2,
    },
)


def alert(n: int):  # noqa: ANN201
    return alert_event(transition(n), Told(raised_at=START, peak_severity=2), exercise=True)


def test_it_reads_every_body_and_refuses_a_forged_one() -> None:
    secret = new_secret()
    inbox, now = Inbox(secret), datetime.now(UTC)
    bodies = {
        body(alert(1)): "▲ 橙色Orange raised 夜间噪声超标",
        body(alert(1), alert(2)): "▤ {rule=x} 2 raised",
        body(sample_event("li", now)): "test.message",
        body(INCIDENT): "▲ 橙色Orange confirmed 城市内涝 Urban waterlogging · 锦江区",
    }
    for n, (text, line) in enumerate(bodies.items()):
        headers = {
            "webhook-id": f"msg_{n}",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(f"msg_{n}", now, text),
        }
        status, said = inbox.take(text.encode(), headers)
        assert (status, line in said) == (204, True), said
        assert inbox.take(text.encode(), headers)[1].startswith("(repeat)")
        assert inbox.take(text.encode() + b" ", headers)[0] == 400
