"""Episodes and what people do with them, step by step on a real database."""

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from alerts.episode import acts
from alerts.episode.episodes import apply
from alerts.episode.models import AlertFilter
from alerts.episode.queries import active_alerts, find_alerts, get_alert
from catalog.errors import ConflictError, InvalidError, NotFoundError
from catalog.registry import find_rule
from tests.support.alerting import (
    NOW,
    START,
    Desk,
    add_users,
    transition,
)


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
        with pytest.raises(InvalidError, match=f"no user '{name}'; known: wang"):
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
    monkeypatch.setattr("alerts.episode.episodes.find_rule", lambda _: latched)
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
