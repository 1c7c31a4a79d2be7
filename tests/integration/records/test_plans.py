"""Plans from a flood to the sign and back: who is asked, what is shown, what is not said."""

import pytest

from records.act import act, open_record, record_of
from records.plans.loop import tick
from records.queries import get_page
from records.things.loop import place_all, watch
from records.things.queries import get_thing, thing_of
from tests.support.sign_city import POND, City

SQUARE = {"lon": 104.0655, "lat": 30.6705, "address": "人民中路"}


@pytest.fixture
def city(sign_city: City) -> City:
    """The city of these tests."""
    return sign_city


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
    city.congest()
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
    city.congest()
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
    city.congest()
    city.tick()
    for advice in city.all("slow_ahead"):
        act(city.person(), advice.kind, advice.id, "approve")
    city.clock.forward(seconds=400)  # the detector has fallen silent
    tick(city.conn, city.fleet, city.clock)
    assert {a.close_reason for a in city.all("slow_ahead")} == {"unwell"}
    assert not any(s.heard for s in city.signs.by_id.values())


def test_higher_priority_takes_the_sign_and_the_lower_one_goes(city: City) -> None:
    city.congest()
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


def test_a_sign_is_a_thing_whose_state_follows(city: City) -> None:
    place_all(city.conn)

    def states() -> set[str]:
        watch(city.conn)
        return {get_thing(city.conn, thing_of("sign"), d).thing.state for d in told}

    city.flood()
    city.tick()
    told = {advice.device for advice in city.all()}
    assert states() == {"shows"}
    city.end_flood()
    city.tick(seconds=5)
    assert states() == {"blank"}


def test_a_withdrawn_flood_takes_the_text_down(city: City) -> None:
    city.flood()
    city.tick()
    city.end_flood("withdrawn")
    city.tick(seconds=5)
    assert set(city.states()) == {"ended"}
