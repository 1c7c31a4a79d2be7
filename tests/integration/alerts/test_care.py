"""Episodes, silences, groups and escalation, step by step on a real database."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alerts import acts
from alerts.alert_models import AlertFilter
from alerts.deliveries import get_delivery, list_deliveries, replay_range, send_test
from alerts.episodes import apply
from alerts.errors import ConflictError, NotFoundError, UnknownUserError
from alerts.labels import Matcher
from alerts.links import links_of
from alerts.notify import Notifier
from alerts.receivers import list_receivers
from alerts.routes import read_routes
from alerts.silences import SilenceDraft, add_silence, end_silence
from alerts.store import active_alerts, find_alerts, get_alert, preview
from catalog.registry import find_rule
from tests.alerting import (
    NOW,
    START,
    Desk,
    Stub,
    add_receiver,
    add_users,
    of_sensor,
    transition,
)


def reroute(desk: Desk, tmp_path: Path, text: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    desk.notifier = Notifier(read_routes(file), links_of(desk.settings))


def one(desk: Desk) -> Any:
    return active_alerts(desk.conn)[0]


def test_rules_and_people_write_different_fields(desk: Desk) -> None:
    desk.take(transition(1, severity=3))
    add_users(desk.conn, "wang")
    desk.take(transition(1, "changed", 1))
    acts.acknowledge(desk.conn, "e-1", "li", "on it", NOW)
    acts.assign(desk.conn, "e-1", "li", "wang", NOW)
    acts.comment(desk.conn, "e-1", "li", "pump runs")
    desk.take(transition(1, "changed", 2))
    alert = one(desk)
    assert (alert.severity, alert.peak_severity) == (2, 1)
    assert (alert.acked_by, alert.assignee) == ("li", "wang")
    desk.take(transition(1, "cleared", 2))
    page = get_alert(desk.conn, "e-1")
    assert page.alert.status == "cleared"
    assert [t.kind for t in page.transitions] == ["raised", "changed", "changed", "cleared"]
    assert all(t.observed_at < t.recorded_at for t in page.transitions), "two clocks"
    assert [a.act for a in page.acts] == ["ack", "assign", "comment"]
    for table in ("transitions", "episode_acts"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            desk.conn.execute(f"DELETE FROM {table}".encode())


def test_an_acknowledgement_of_a_level_is_none_of_a_worse_one(desk: Desk) -> None:
    desk.take(transition(1, severity=4))
    acts.acknowledge(desk.conn, "e-1", "li", "seen", NOW)
    desk.take(transition(1, "changed", 1))
    assert (one(desk).acked_at, one(desk).acked_by, one(desk).ack_note) == (None, None, None)
    assert [a.id for a in find_alerts(desk.conn, AlertFilter(acknowledged=False))] == ["e-1"]
    lines = [(a.who, a.act, a.note) for a in get_alert(desk.conn, "e-1").acts]
    assert lines == [("li", "ack", "seen"), ("cityops", "ack_lapsed", "IV → I · li")]
    acts.acknowledge(desk.conn, "e-1", "wang", "", NOW)
    desk.take(transition(1, "changed", 3), transition(1, "changed", 1, id="t-1-worse-again"))
    assert one(desk).acked_by == "wang", "level I is acknowledged, however often it comes back"
    acts.unacknowledge(desk.conn, "e-1", "wang")
    desk.take(transition(1, "changed", 2))
    acts.acknowledge(desk.conn, "e-1", "wang", "", NOW)
    desk.take(transition(1, "changed", 1, id="t-1-once-more"))
    assert one(desk).acked_by is None, "acknowledged as II, and worse again"


def test_what_does_nothing_is_no_line_of_the_timeline(desk: Desk) -> None:
    add_users(desk.conn, "wang")
    desk.take(transition(1))
    assert acts.acknowledge(desk.conn, "e-1", "li", "first", NOW)
    assert not acts.acknowledge(desk.conn, "e-1", "wang", "second", NOW)
    assert (one(desk).acked_by, one(desk).ack_note) == ("li", "first")
    with pytest.raises(ConflictError, match="is not shelved"):
        acts.unshelve(desk.conn, "e-1", "li")
    acts.shelve(desk.conn, "e-1", "li", NOW + timedelta(hours=1), "works", NOW)
    acts.unshelve(desk.conn, "e-1", "li")
    with pytest.raises(ConflictError, match="is not shelved"):
        acts.unshelve(desk.conn, "e-1", "li")
    acts.unacknowledge(desk.conn, "e-1", "li")
    with pytest.raises(ConflictError, match="is not acknowledged"):
        acts.unacknowledge(desk.conn, "e-1", "li")
    assert acts.assign(desk.conn, "e-1", "li", "wang", NOW)
    assert not acts.assign(desk.conn, "e-1", "li", "wang", NOW)
    done = [a.act for a in get_alert(desk.conn, "e-1").acts]
    assert done == ["ack", "shelve", "unshelve", "unack", "assign"]
    for act in (acts.unshelve, acts.unacknowledge):
        with pytest.raises(NotFoundError):
            act(desk.conn, "none", "li")


def test_an_alert_is_given_to_somebody_who_may_log_in(desk: Desk) -> None:
    add_users(desk.conn, "wang", "gone")
    desk.conn.execute("UPDATE console_users SET disabled_at = now() WHERE name = 'gone'")
    desk.take(transition(1))
    for name in ("nobody-like-this", "gone", "Wang"):
        with pytest.raises(UnknownUserError, match=f"no user '{name}'; known: wang"):
            acts.assign(desk.conn, "e-1", "li", name, NOW)
    acts.assign(desk.conn, "e-1", "li", "wang", NOW)
    acts.assign(desk.conn, "e-1", "li", "", NOW)
    assert (one(desk).assignee, one(desk).assigned_at) == (None, None)


def test_a_latched_alert_stays_until_acknowledged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = find_rule("noise.night")
    assert rule is not None
    latched = rule.model_copy(update={"latch": True})
    monkeypatch.setattr("alerts.episodes.find_rule", lambda _: latched)
    desk.take(transition(1), transition(1, "cleared"))
    assert one(desk).status == "latched"
    again = transition(1, id="t-again", episode="e-again")
    desk.take(again)  # the condition may come back meanwhile
    acts.acknowledge(desk.conn, "e-1", "li", "seen", NOW)
    assert [a.id for a in active_alerts(desk.conn)] == ["e-again"]
    acts.acknowledge(desk.conn, "e-again", "li", "", NOW)
    desk.take(transition(1, "cleared", id="t-end", episode="e-again"))
    assert active_alerts(desk.conn) == [], "acknowledged before: nothing to latch"


def test_a_flapping_subject_is_flagged_within_its_window(desk: Desk) -> None:
    def raised(n: int, minutes: float) -> None:
        at = START + timedelta(minutes=minutes)
        same = {"sensor": "n-1", "episode": f"f-{n}", "observed_at": at}
        desk.take(transition(n, id=f"r{n}", **same), transition(n, "cleared", id=f"c{n}", **same))

    for n in range(7):
        raised(n, n)
    flags = "SELECT flapping FROM episodes ORDER BY raised_at"
    assert [f for (f,) in desk.conn.execute(flags.encode())] == [False] * 5 + [True] * 2
    raised(8, 90)
    assert not find_alerts(desk.conn, AlertFilter(state="all"))[0].flapping


def test_shelving_ends_by_itself_and_then_tells(desk: Desk) -> None:
    desk.take(transition(1, severity=3))
    acts.shelve(desk.conn, "e-1", "li", NOW + timedelta(minutes=30), "works", NOW)
    desk.take(transition(1, "changed", 1), transition(2))
    acts.shelve(desk.conn, "e-2", "li", NOW + timedelta(minutes=30), "works", NOW)
    desk.later(minutes=1)
    assert desk.said() == ["raised", "raised"]
    desk.later(minutes=30)
    assert desk.said() == ["raised", "raised", "changed"], "red now, and who knew it as yellow"
    desk.later(minutes=1)
    assert len(desk.said()) == 3, "once"
    with pytest.raises(ValueError, match="seven days"):
        acts.shelve(desk.conn, "e-1", "li", NOW + timedelta(days=8), "works", NOW)
    with pytest.raises(NotFoundError):
        acts.shelve(desk.conn, "none", "li", NOW + timedelta(days=1), "works", NOW)


def test_two_writers_cannot_open_two_episodes(dsn: str, desk: Desk) -> None:
    barrier, outcome = threading.Barrier(4), []

    def write(n: int) -> None:
        with psycopg.connect(dsn) as conn:
            barrier.wait(10)
            try:
                apply(conn, transition(1, id=f"t-{n}", episode=f"e-{n}"))
                conn.commit()
                outcome.append("open")
            except psycopg.errors.UniqueViolation:
                outcome.append("refused")

    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcome) == ["open", "refused", "refused", "refused"]
    assert len(active_alerts(desk.conn)) == 1


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
