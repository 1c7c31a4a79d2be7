"""When people are notified: silences, groups, escalation, mutes, replays, on a real database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.delivery.links import links_of
from alerts.delivery.log import get_delivery, list_deliveries, replay_range, send_test
from alerts.delivery.receivers import list_receivers
from alerts.episode import acts
from alerts.episode.queries import get_alert, preview
from alerts.event.labels import Matcher
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.routing.silences import SilenceDraft, add_silence, end_silence
from tests.support.alerting import (
    NOW,
    Desk,
    Stub,
    add_receiver,
    of_sensor,
    transition,
)


def reroute(desk: Desk, tmp_path: Path, text: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    desk.notifier = Notifier(read_routes(file), links_of(desk.settings))


def test_a_silence_hides_and_its_end_tells_what_lasts(desk: Desk) -> None:
    draft = SilenceDraft(
        matchers=[Matcher(name="stream", value="noise")],
        reason="festival",
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
    )
    desk.take(transition(9))
    silence = add_silence(desk.conn, draft, "li")
    assert [a.id for a in preview(desk.conn, draft.matchers)] == ["e-9"]
    desk.take(transition(1), transition(2), transition(2, "cleared"), transition(9, "cleared"))
    assert desk.said() == ["raised", "cleared"], "who knows of a beginning hears of its end"
    assert get_alert(desk.conn, "e-1").held[0].reason == f"silence {silence.id}"
    desk.later(minutes=5)
    assert len(desk.said()) == 2
    end_silence(desk.conn, silence.id, "li", desk.now)
    desk.later(seconds=1)
    assert desk.said() == ["raised", "cleared", "raised"]
    desk.later(seconds=1)
    desk.take(transition(1, "cleared"))
    assert desk.said()[3:] == ["cleared"]


def test_another_level_during_a_silence_is_told_at_its_end_unless_it_went_back(desk: Desk) -> None:
    draft = SilenceDraft(
        matchers=[Matcher(name="stream", value="noise")],
        reason="festival",
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
    )
    desk.take(transition(1, severity=3), transition(2, severity=3), transition(3, severity=1))
    silence = add_silence(desk.conn, draft, "li")
    desk.take(transition(1, "changed", 1), transition(2, "changed", 1), transition(3, "changed", 4))
    desk.take(transition(2, "changed", 3, id="t-2-back"))
    assert desk.said() == ["raised"] * 3
    end_silence(desk.conn, silence.id, "li", desk.now)
    desk.later(seconds=1)
    assert desk.said()[3:] == ["changed", "changed"]
    told = desk.conn.execute(b"SELECT subject, severity FROM told ORDER BY subject").fetchall()
    assert told == [("e-1", 1), ("e-2", 3), ("e-3", 4)]
    assert desk.conn.execute(b"SELECT count(*) FROM held").fetchone() == (0,)


def test_a_maintenance_window_covers_an_area_and_runs_out(desk: Desk) -> None:
    draft = SilenceDraft(
        kind="maintenance",
        matchers=[Matcher(name="district", value="510104")],
        reason="pump exchange",
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
    )
    add_silence(desk.conn, draft, "li")
    inside = of_sensor("waterlogging", "ponding", "waterlogging-510104-01")
    desk.take(inside, of_sensor("waterlogging", "ponding", "waterlogging-510105-01"))
    assert desk.said() == ["raised"]
    assert get_alert(desk.conn, inside.episode).held[0].reason.startswith("maintenance")
    desk.later(hours=2)
    assert desk.said() == ["raised", "raised"]


GROUPED = """
[route]
receivers = ["*"]
group = { by = ["stream"], wait_s = 10, interval_s = 60, repeat_s = 3600 }
escalate = [{ after_min = 5, to = ["chief"] }, { after_min = 15, to = ["mayor"] }]
"""


def test_groups_wait_then_keep_an_interval_and_repeat(desk: Desk, tmp_path: Path) -> None:
    reroute(desk, tmp_path, GROUPED)
    desk.take(transition(1), transition(2))
    desk.later(seconds=9)
    assert desk.said() == []
    desk.later(seconds=1)
    assert desk.said() == ["grouped 2"]
    desk.take(transition(3), transition(1, "cleared"))
    desk.later(seconds=30)
    assert len(desk.said()) == 1
    desk.later(seconds=31)
    assert desk.said() == ["grouped 2", "grouped 2"]
    acts.acknowledge(desk.conn, "e-2", "li", "", desk.now)
    desk.later(hours=1)
    assert desk.said()[2:] == ["repeated"], "e-3 only: e-1 is over, e-2 acknowledged"
    desk.later(seconds=1)
    assert len(desk.said()) == 3


def test_escalation_goes_on_until_somebody_acknowledges(
    desk: Desk, dsn: str, tmp_path: Path
) -> None:
    for name in ("chief", "mayor"):
        add_receiver(dsn, tmp_path, Stub(9), name, routed=False)
    reroute(desk, tmp_path, GROUPED)
    desk.take(transition(1), transition(2), transition(3))
    acts.acknowledge(desk.conn, "e-2", "li", "", desk.now)
    desk.take(transition(3, "cleared"))
    desk.later(minutes=6)
    assert (desk.said("chief"), desk.said("mayor")) == (["escalated"], [])
    acts.acknowledge(desk.conn, "e-1", "li", "", desk.now)
    desk.later(minutes=20)
    assert desk.said("mayor") == []
    ended = "SELECT subject, step, outcome FROM escalations ORDER BY subject, step"
    assert desk.conn.execute(ended.encode()).fetchall() == [
        ("e-1", 0, "escalated"),
        ("e-1", 1, "acknowledged"),
        ("e-2", 0, "acknowledged"),
        ("e-2", 1, "acknowledged"),
        ("e-3", 0, "cleared"),
        ("e-3", 1, "cleared"),
    ]


def test_escalation_begins_anew_with_a_level_that_nobody_acknowledged(
    desk: Desk, dsn: str, tmp_path: Path
) -> None:
    for name in ("chief", "mayor"):
        add_receiver(dsn, tmp_path, Stub(9), name, routed=False)
    reroute(desk, tmp_path, GROUPED)
    desk.take(transition(1, severity=4))
    desk.later(minutes=6)
    acts.acknowledge(desk.conn, "e-1", "li", "", desk.now)
    desk.later(minutes=20)
    assert (desk.said("chief"), desk.said("mayor")) == (["escalated"], [])
    desk.take(transition(1, "changed", 3))
    desk.later(minutes=4)
    assert desk.said("chief") == ["escalated"]
    desk.later(minutes=2)
    assert (desk.said("chief"), desk.said("mayor")) == (["escalated"] * 2, [])
    desk.later(minutes=10)
    assert desk.said("mayor") == ["escalated"]
    desk.take(transition(1, "changed", 1))
    desk.later(minutes=30)
    assert len(desk.said("chief")) == 2, "nobody had acknowledged: what was begun goes on"


MUTED = """
[route]
receivers = ["*"]
mute = ["office"]
[mutes.office]
hours = ["09:00", "18:00"]
"""


def test_muted_hours_end_with_what_is_still_open(desk: Desk, tmp_path: Path) -> None:
    reroute(desk, tmp_path, MUTED)
    desk.take(transition(1), transition(2))
    desk.take(transition(2, "cleared"))
    desk.later(hours=5)  # 17:00
    assert desk.said() == []
    desk.later(hours=2)  # 19:00
    assert desk.said() == ["raised"]


def test_what_stays_undelivered_is_told_to_the_fallback_once(
    desk: Desk, dsn: str, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, Stub(9), "chief", routed=False)
    reroute(desk, tmp_path, 'fallback = ["chief", "duty"]\n[route]\nreceivers = ["duty"]')
    desk.take(transition(1), transition(2))
    desk.now = datetime.now(UTC)
    desk.later(seconds=100)
    assert desk.said("chief") == []
    desk.later(seconds=30)
    desk.later(seconds=30)
    assert desk.said("chief") == ["stuck"]
    assert len(desk.said("duty")) == 2, "never by the way that is stuck"


def test_a_storm_becomes_few_messages_with_gapless_numbers(desk: Desk) -> None:
    desk.take(*(transition(n) for n in range(250)))
    assert desk.said() == ["grouped 100", "grouped 100", "grouped 50"]
    desk.take(transition(1, "cleared"))
    numbers = desk.conn.execute(b"SELECT receiver_seq FROM outbox ORDER BY seq")
    assert [n for (n,) in numbers] == [1, 2, 3, 4]
    assert [d.kind for d in list_deliveries(desk.conn, subject="e-1")] == ["cleared", "grouped"]


def test_a_message_can_be_replayed_with_the_same_id_and_tests_go_the_same_way(
    desk: Desk, dsn: str
) -> None:
    desk.take(transition(1))
    first = list_deliveries(desk.conn)[0]
    desk.conn.execute("UPDATE outbox SET delivered_at = now(), attempts = 1")
    now = datetime.now(UTC)
    count = replay_range(desk.conn, "duty", now - timedelta(hours=1), now + timedelta(hours=1))
    waiting = list_deliveries(desk.conn, state="waiting")
    assert (count, [d.id for d in waiting], waiting[0].replays) == (1, [first.id], 1)
    tried = send_test(desk.conn, "duty", "li", links_of(desk.settings), now)
    page = get_delivery(desk.conn, tried)
    assert (page.delivery.sequence, page.delivery.kind) == (2, "message")
    view = list_receivers(desk.conn)[0]
    assert (view.waiting, view.last_seq) == (2, 2)
    assert "whsec" not in view.model_dump_json()
    (stored,) = desk.conn.execute("SELECT secret FROM receivers").fetchone() or ("",)
    assert stored.startswith("fernet:")
