"""Plans under faults: kills around the sending, an absence, signs that are dark or show others."""

from datetime import datetime
from typing import Any

import pytest

from deploy.wait import wait_until
from records.act import act, record_of
from records.plans.devices import Fleet
from records.queries import get_page
from tests.support.sign_city import City


@pytest.fixture
def city(sign_city: City) -> City:
    """The city of these tests."""
    return sign_city


def test_what_expired_while_we_were_down_is_blanked_and_never_sent(city: City) -> None:
    city.flood()
    city.tick()
    shown = city.all()
    city.congest()
    city.tick(seconds=1)
    waiting = [a for a in city.all("slow_ahead") if a.state == "proposed"]
    for advice in waiting:
        act(city.person(), advice.kind, advice.id, "approve")
    for sign in city.signs.by_id.values():
        sign._until += 86_400  # they lost count of their time
    city.clock.forward(hours=3)
    city.tick()
    assert [(a.state, a.close_reason) for a in city.all() if a.id in {s.id for s in shown}] == [
        ("ended", "expired")
    ] * 4
    assert all(a.close_reason == "expired" for a in city.all("slow_ahead") if a in waiting)
    assert not {a.key for a in shown} & {(s.showing() or {}).get("key") for s in city.everyone()}
    assert all(f"sign_message-{a.id}/show" not in city.sign(a).heard for a in waiting)


def test_a_sign_without_power_is_told_of_and_is_not_told_twice(city: City) -> None:
    city.flood()
    for sign in city.everyone():
        sign.power(False)
    city.tick()
    assert set(city.states()) == {"approved"}
    city.tick(seconds=130)
    late = city.conn.execute(
        "SELECT count(*) FROM record_timers WHERE clock = 'verify' AND due_at <= %s",
        [city.clock.at],
    ).fetchone()
    assert late and late[0] == 4  # overdue: an alert of the present path
    for sign in city.everyone():
        sign.power(True)
    city.tick(seconds=40)
    assert set(city.states()) == {"shown"}
    assert all(city.sign(a).heard == [a.key] for a in city.all())
    dark = city.all()[0]
    city.sign(dark).power(False)
    city.tick(seconds=10)
    city.tick(seconds=20)
    assert city.states().count("differs") == 1
    city.sign(dark).power(True)  # and it is blank
    city.tick(seconds=6)
    city.tick(seconds=61)
    assert ("end", "lost") in city.moves(dark)
    city.tick(seconds=6)
    city.tick(seconds=1)
    again = [a for a in city.all() if a.device == dark.device]
    assert [a.state for a in again] == ["ended", "shown"]


def test_a_deviation_is_a_step_with_what_was_read(city: City) -> None:
    city.flood()
    city.tick()
    one = city.all()[0]
    city.sign(one)._pages = [["前方畅通"]]
    city.tick(seconds=6)
    page = get_page(city.conn, record_of(one.kind), one.id)
    assert (page.record.state, page.record.fields["told"]) == ("differs", "显示：前方畅通")
    city.sign(one).failed = True
    city.sign(one)._pages = [["前方积水 0.31 米", "东城根街下穿隧道"], ["请绕行"]]
    city.tick(seconds=6)
    assert city.states().count("differs") == 1
    city.sign(one).failed = False
    city.tick(seconds=6)
    assert set(city.states()) == {"shown"}


def test_two_loops_beside_each_other_send_once(city: City) -> None:
    city.flood()
    city.tick()
    pending = city.conn.execute(
        "UPDATE plan_commands SET sent_at = NULL, next_attempt_at = made_at"
    )
    assert pending.rowcount == 4
    city.tick(seconds=1)
    city.tick(seconds=1)
    assert all(len(city.sign(a).heard) == 1 for a in city.all())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_around_the_sending_sends_once(
    city: City, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``kill -9`` between the count of an attempt and its mark, the device told or not."""
    city.flood()
    city.tick(seconds=0)
    city.end_flood()
    city.tick(seconds=6)
    for sign in city.everyone():
        sign.heard.clear()
    send = Fleet.tell

    def killed(fleet: Fleet, command: Any, now: datetime) -> Any:
        if when == "after":
            send(fleet, command, now)
        raise KeyboardInterrupt

    city.conn.execute("DELETE FROM episodes")
    city.flood(id="next")
    with monkeypatch.context() as patched:
        patched.setattr(Fleet, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            city.tick(seconds=1)
    heard = lambda: sum(len(s.heard) for s in city.everyone())  # noqa: E731
    wait_until(lambda: heard() == (4 if when == "after" else 0), 10, "the other threads")
    city.tick(seconds=11)
    city.tick(seconds=6)
    assert sorted(city.states())[-4:] == ["shown"] * 4
    assert sorted(len(s.heard) for s in city.everyone())[-5:] == [0, 1, 1, 1, 1]


def test_a_cause_that_ends_during_the_kill_leaves_nothing_on_the_sign(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.flood()
    send = Fleet.tell

    def killed(fleet: Fleet, command: Any, now: datetime) -> Any:
        send(fleet, command, now)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Fleet, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            city.tick()
    assert any(s.showing() for s in city.everyone())
    city.end_flood()
    city.tick(seconds=30)
    assert {a.close_reason for a in city.all()} == {"cause_over"}
    assert not any(s.showing() for s in city.everyone())
