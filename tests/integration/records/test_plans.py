"""Plans from a flood to the sign and back, with simulated signs that fail, by a set clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
import pytest

from records.act import act, open_record, record_of
from records.context import Context
from records.plans.devices import Fleet
from records.plans.loop import tick
from records.plans.store import Advice, advices
from records.queries import get_page
from records.verify import verify_log, verify_states
from simulators.signs import Sign, Signs
from tests.support.works_system import Clock

POND = "pond-dongchenggen"
SQUARE = {"lon": 104.0655, "lat": 30.6705, "address": "人民中路"}


@dataclass
class City:
    """A database, its clock, and the signs of the city on the wire."""

    conn: psycopg.Connection
    signs: Signs
    fleet: Fleet
    clock: Clock
    depth: float = 0.31
    extra: dict[str, Any] = field(default_factory=dict)

    def tick(self, **later: float) -> int:
        """Let time pass, the sensor go on measuring, and the loop do all that is due."""
        self.clock.forward(**later)
        self.measure()
        return tick(self.conn, self.fleet, self.clock)

    def measure(self) -> None:
        self.conn.execute(
            "INSERT INTO last_waterlogging (sensor, observed_at, received_at, depth_m)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (sensor) DO UPDATE SET observed_at ="
            " excluded.observed_at, depth_m = excluded.depth_m",
            [POND, self.clock.at, self.clock.at, self.depth],
        )
        if link := self.extra.get("link"):
            self.conn.execute(
                "INSERT INTO last_traffic_link (sensor, observed_at, received_at, speed_ratio)"
                " VALUES (%s, %s, %s, 0.2) ON CONFLICT (sensor) DO UPDATE SET observed_at ="
                " excluded.observed_at",
                [link, self.clock.at, self.clock.at],
            )

    def flood(self, rule: str = "waterlogging.ponding", severity: int = 1, **more: Any) -> None:
        row = {"id": "flood", "confidence": "confirmed", "reason": ""} | more
        self.conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, changed_at, confidence, reason)"
            " VALUES (%s, %s, 'waterlogging', %s, 'active', %s, %s, 'depth_m', %s, 0.3, %s, %s,"
            " %s, %s)",
            [
                *(row["id"], rule, POND, severity, severity, self.depth),
                *(self.clock.at, self.clock.at, row["confidence"], row["reason"]),
            ],
        )

    def end_flood(self, status: str = "cleared") -> None:
        self.conn.execute(
            "UPDATE episodes SET status = %s, cleared_at = %s WHERE id = 'flood'",
            [status, self.clock.at],
        )

    def all(self, plan: str = "ponding_detour") -> list[Advice]:
        return [a for a in advices(self.conn, self.clock.at) if a.plan == plan]

    def states(self, plan: str = "ponding_detour") -> list[str]:
        return [a.state for a in self.all(plan)]

    def sign(self, advice: Advice) -> Sign:
        return self.signs.by_id[advice.device]

    def moves(self, advice: Advice) -> list[tuple[str, str]]:
        page = get_page(self.conn, record_of(advice.kind), advice.id)
        return [(entry.move, entry.reason) for entry in page.log]

    def person(self, name: str = "wang") -> Context:
        return Context(self.conn, name, "page", "operator", now=self.clock)

    def refusals(self) -> list[str]:
        return [w for (w,) in self.conn.execute("SELECT why_en FROM plan_refusals").fetchall()]


@pytest.fixture
def city(conn: psycopg.Connection) -> Iterator[City]:
    clock = Clock()
    signs = Signs(lambda: clock.at.timestamp())
    address, stop = signs.serve()
    fleet = Fleet(f"sign={address}")
    made = City(conn, signs, fleet, clock)
    made.measure()
    yield made
    fleet.close()
    stop()
    assert [f.what for f in (*verify_log(conn), *verify_states(conn, "sign_message"))] == []


def test_a_flood_is_on_the_signs_before_it_and_goes_with_it(city: City) -> None:
    city.tick()
    assert city.all() == []
    city.flood()
    city.tick()
    shown = city.all()
    assert [a.state for a in shown] == ["shown"] * 4
    for advice in shown:
        sign = city.sign(advice)
        said = sign.showing()
        assert said and said["pages"] == [["前方积水 0.31 米", "东城根街下穿隧道"], ["请绕行"]]
        assert sign.heard == [advice.key]
    others = [s for id, s in city.signs.by_id.items() if id not in {a.device for a in shown}]
    assert not any(s.heard for s in others)
    city.tick(minutes=10)
    city.end_flood()
    city.tick(seconds=5)
    assert city.states() == ["ended"] * 4
    assert not any(s.showing() for s in city.signs.by_id.values())
    assert {a.close_reason for a in city.all()} == {"cause_over"}
    assert [len(city.sign(a).heard) for a in shown] == [1] * 4


def test_a_proposal_waits_for_a_person_and_lapses_without_one(city: City) -> None:
    fields = {"category": "accident"} | SQUARE
    event = open_record(city.person(), "traffic_event", fields).id
    city.tick()
    assert city.all("incident_ahead") == []
    act(city.person(), "traffic_event", event, "confirm")
    city.tick(seconds=1)
    assert set(city.states("incident_ahead")) == {"shown"}
    one = city.all("incident_ahead")[0]
    assert (city.sign(one).showing() or {})["pages"][0][0] == "前方交通事故"
    act(city.person(), "traffic_event", event, "clear", reason="removed")
    city.tick(seconds=6)
    assert set(city.states("incident_ahead")) == {"ended"}


def test_what_a_person_rejects_is_not_asked_again_soon(city: City) -> None:
    congest(city)
    city.tick()
    first, *rest = city.all("slow_ahead")
    assert {a.state for a in (first, *rest)} == {"proposed"} and not city.sign(first).heard
    act(city.person(), first.kind, first.id, "reject", reason="not_needed")
    for advice in rest:
        act(city.person(), advice.kind, advice.id, "approve")
    city.tick(seconds=1)
    states = {a.device: a.state for a in city.all("slow_ahead")}
    assert states == {first.device: "rejected"} | {a.device: "shown" for a in rest}
    city.tick(minutes=16)
    assert len(city.all("slow_ahead")) == len(states)
    assert city.sign(rest[0]).heard == [rest[0].kind + f"-{rest[0].id}/show"]


def test_nobody_answers_and_the_proposal_lapses(city: City) -> None:
    congest(city)
    city.tick()
    city.tick(minutes=14)
    assert set(city.states("slow_ahead")) == {"proposed"}
    city.tick(minutes=1)
    assert {a.close_reason for a in city.all("slow_ahead")} == {"not_answered"}
    assert not any(s.heard for s in city.signs.by_id.values())


@pytest.mark.parametrize(
    ("confidence", "more", "why"),
    [
        ("unconfirmed", "", "the alert is unconfirmed: rate"),
        ("confirmed", "silent", "the last reading is 300 s old"),
        ("confirmed", "unwell", "maintenance alert: waterlogging.health"),
        ("confirmed", "stray", "the sensor is provisional"),
    ],
)
def test_nothing_is_said_on_unwell_data(city: City, confidence: str, more: str, why: str) -> None:
    city.flood(confidence=confidence, reason="rate")
    if more == "unwell":
        city.flood("waterlogging.health", 4, id="health")
    if more == "stray":
        city.conn.execute("UPDATE sensors SET status = 'provisional' WHERE sensor = %s", [POND])
    if more == "silent":
        city.clock.forward(seconds=300)
    tick(city.conn, city.fleet, city.clock)
    assert city.all() == [] and city.refusals() == [why]
    assert not any(s.heard for s in city.signs.by_id.values())


def test_data_that_turns_unwell_after_the_approval_is_not_sent(city: City) -> None:
    congest(city)
    city.tick()
    for advice in city.all("slow_ahead"):
        act(city.person(), advice.kind, advice.id, "approve")
    city.clock.forward(seconds=400)  # the detector has fallen silent
    tick(city.conn, city.fleet, city.clock)
    assert {a.close_reason for a in city.all("slow_ahead")} == {"unwell"}
    assert not any(s.heard for s in city.signs.by_id.values())


def test_what_expired_while_we_were_down_is_blanked_and_never_sent(city: City) -> None:
    city.flood()
    city.tick()
    shown = city.all()
    congest(city)
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
    assert not {a.key for a in shown} & {(s.showing() or {}).get("key") for s in signs(city)}
    assert all(f"sign_message-{a.id}/show" not in city.sign(a).heard for a in waiting)


def test_higher_priority_takes_the_sign_and_the_lower_one_goes(city: City) -> None:
    congest(city)
    city.tick()
    for advice in city.all("slow_ahead"):
        act(city.person(), advice.kind, advice.id, "approve")
    city.tick(seconds=1)
    low = [a for a in city.all("slow_ahead") if a.state == "shown"]
    city.flood()
    city.tick(seconds=1)
    both = {a.device for a in city.all()} & {a.device for a in low}
    assert both
    city.tick(seconds=5)
    lost = [a for a in city.all("slow_ahead") if a.device in both and a.id in {x.id for x in low}]
    assert {a.state for a in lost} <= {"ending", "ended"}
    for advice in city.all():
        assert (city.sign(advice).showing() or {})["key"] == advice.key


def test_a_sign_without_power_is_told_of_and_is_not_told_twice(city: City) -> None:
    city.flood()
    for sign in signs(city):
        sign.power(False)
    city.tick()
    assert set(city.states()) == {"approved"}
    city.tick(seconds=130)
    late = city.conn.execute(
        "SELECT count(*) FROM record_timers WHERE clock = 'verify' AND due_at <= %s",
        [city.clock.at],
    ).fetchone()
    assert late and late[0] == 4  # overdue: an alert of the present path
    for sign in signs(city):
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


def test_its_effect_is_measured(city: City) -> None:
    flows = "INSERT INTO last_traffic_flow (sensor, observed_at, received_at, flow_veh_h)"
    (near,) = city.conn.execute(
        "SELECT sensor FROM sensors WHERE stream = 'traffic_flow' ORDER BY"
        " (lon - 104.059) ^ 2 + (lat - 30.667) ^ 2 LIMIT 1"
    ).fetchone() or ("",)
    city.conn.execute(f"{flows} VALUES (%s, now(), now(), 900)".encode(), [near])
    city.flood()
    city.tick()
    city.conn.execute("UPDATE last_traffic_flow SET flow_veh_h = 500")
    city.tick(minutes=15)
    page = get_page(city.conn, record_of("sign_message"), city.all()[0].id)
    assert (page.record.fields["before"], page.record.fields["after"]) == (900, 500)


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
    for sign in signs(city):
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
    heard = sum(len(s.heard) for s in signs(city))
    assert heard == (4 if when == "after" else 0)
    city.tick(seconds=11)
    city.tick(seconds=6)
    assert sorted(city.states())[-4:] == ["shown"] * 4
    assert sorted(len(s.heard) for s in signs(city))[-5:] == [0, 1, 1, 1, 1]


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
    assert any(s.showing() for s in signs(city))
    city.end_flood()
    city.tick(seconds=30)
    assert {a.close_reason for a in city.all()} == {"cause_over"}
    assert not any(s.showing() for s in signs(city))


def test_a_withdrawn_flood_takes_the_text_down(city: City) -> None:
    city.flood()
    city.tick()
    city.end_flood("withdrawn")
    city.tick(seconds=5)
    assert set(city.states()) == {"ended"}


def signs(city: City) -> list[Sign]:
    return list(city.signs.by_id.values())


def congest(city: City) -> None:
    """Jam the link nearest to Tianfu Square, its detector well."""
    (link,) = city.conn.execute(
        "SELECT sensor FROM sensors WHERE stream = 'traffic_link' ORDER BY"
        " (lon - 104.066) ^ 2 + (lat - 30.667) ^ 2 LIMIT 1"
    ).fetchone() or ("",)
    city.extra["link"] = link
    city.measure()
    city.conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES ('jam', 'traffic_link.congestion',"
        " 'traffic_link', %s, 'active', 2, 2, 'dtp', 0.75, 0.7, %s, %s)",
        [link, city.clock.at, city.clock.at],
    )
