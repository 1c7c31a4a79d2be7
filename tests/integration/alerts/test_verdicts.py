"""Alerts in doubt: confirmed or withdrawn by a person, or borne out by another signal."""

from typing import Any

import pytest

from alerts.episode.queries import get_alert
from alerts.sources.verdict import Verdict, judge_alert
from catalog.contracts import Transition
from catalog.errors import ConflictError, InvalidError
from tests.support.alerting import Desk, of_sensor

POND, NEXT, FAR = "pond-dongchenggen", "waterlogging-510105-01", "pond-jinxin"
RAIN = "weather-510104-01"
IN_DOUBT = {"confidence": "unconfirmed", "reason": "rate", "metric": "depth_m"}


def ponding(sensor: str, n: int = 1, **told: Any) -> Transition:
    return of_sensor("waterlogging", "ponding", sensor, n, **(IN_DOUBT | told))


def episode(sensor: str, n: int = 1) -> str:
    return f"waterlogging.ponding/{sensor}/{n}"


def judge(desk: Desk, verdict: Verdict, sensor: str = POND, note: str = "seen") -> None:
    given = ("li", note, desk.notifier, desk.settings, desk.now)
    judge_alert(desk.conn, episode(sensor), verdict, *given)


def stands(desk: Desk, sensor: str, more: str = "") -> tuple[str, str, str]:
    alert = get_alert(desk.conn, episode(sensor) + more).alert
    return alert.status, alert.confidence, alert.reason


def acts(desk: Desk, sensor: str) -> list[tuple[str, str, str]]:
    return [(a.who, a.act, a.note) for a in get_alert(desk.conn, episode(sensor)).acts]


def test_a_person_confirms_what_is_in_doubt(desk: Desk) -> None:
    desk.take(ponding(POND))
    with pytest.raises(InvalidError, match="say what"):
        judge(desk, "confirmed", note=" ")
    judge(desk, "confirmed")
    assert stands(desk, POND) == ("active", "confirmed", "")
    assert acts(desk, POND) == [("li", "confirm", "seen")]
    assert desk.said() == ["raised", "confirmed"]
    with pytest.raises(ConflictError, match="not in doubt"):
        judge(desk, "withdrawn")
    # the rule's own confirmation is no news, and what falls stays sure
    desk.take(ponding(POND, kind="confirmed", confidence="confirmed", reason=""))
    desk.take(ponding(POND, kind="changed", severity=3))
    assert stands(desk, POND) == ("active", "confirmed", "")
    assert desk.said() == ["raised", "confirmed", "changed"]
    # what becomes worse by a doubtful value is in doubt again
    desk.take(ponding(POND, kind="changed", severity=1))
    assert stands(desk, POND)[1] == "unconfirmed"


def test_what_a_person_withdraws_is_over_until_readings_say_otherwise(desk: Desk) -> None:
    desk.take(ponding(POND, severity=3))
    judge(desk, "withdrawn")
    assert stands(desk, POND) == ("withdrawn", "unconfirmed", "person")
    assert desk.said() == ["raised", "withdrawn"]
    with pytest.raises(ConflictError, match="is over"):
        judge(desk, "confirmed")
    # what falls says nothing new; the next reading that bears it out does
    desk.take(ponding(POND, kind="changed", severity=4))
    assert desk.said() == ["raised", "withdrawn"]
    desk.take(ponding(POND, kind="confirmed", severity=3, confidence="confirmed", reason=""))
    assert desk.said() == ["raised", "withdrawn", "raised"]
    assert stands(desk, POND, ".1") == ("active", "confirmed", "")
    # what the rule says from here on is of the new one
    desk.take(ponding(POND, kind="changed", severity=1, confidence="confirmed", reason=""))
    desk.take(ponding(POND, kind="cleared", severity=1, confidence="confirmed", reason=""))
    assert desk.said()[3:] == ["changed", "cleared"]
    assert stands(desk, POND) == ("withdrawn", "unconfirmed", "person")
    assert get_alert(desk.conn, episode(POND) + ".1").alert.cleared_at is not None


def test_what_becomes_worse_after_a_withdrawal_is_told_at_once(desk: Desk) -> None:
    desk.take(ponding(POND, severity=4))
    judge(desk, "withdrawn")
    desk.take(ponding(POND, kind="changed", severity=1))
    assert desk.said() == ["raised", "withdrawn", "raised"]
    alert = get_alert(desk.conn, episode(POND) + ".1").alert
    assert (alert.severity, alert.confidence) == (1, "unconfirmed")


@pytest.mark.parametrize(
    ("first", "then", "sure"),
    [
        (ponding(POND), ponding(NEXT), (POND, NEXT)),
        (ponding(POND), ponding(FAR), ()),
        (of_sensor("weather", "rain_3h", RAIN), ponding(POND), (POND,)),
        (ponding(POND), of_sensor("weather", "rain_3h", RAIN), (POND,)),
        (of_sensor("weather", "gale", RAIN), ponding(POND), ()),
    ],
    ids=["a neighbour", "one far away", "rain before", "rain after", "a rule that is not named"],
)
def test_another_signal_bears_out_what_is_in_doubt(
    desk: Desk, first: Transition, then: Transition, sure: tuple[str, ...]
) -> None:
    desk.take(first)
    desk.take(then)
    told = [t for t in (first, then) if t.rule == "waterlogging.ponding"]
    found = {t.sensor for t in told if stands(desk, t.sensor)[1] == "confirmed"}
    assert found == set(sure)
    for sensor in sure:
        assert [act for _, act, _ in acts(desk, sensor)] == ["borne_out"]


def test_a_sensor_bears_out_itself_only_by_another_quantity_that_is_sure(desk: Desk) -> None:
    def low() -> str:
        return get_alert(desk.conn, "water_supply.pressure_low/main/1").alert.confidence

    doubt: dict[str, Any] = {"confidence": "unconfirmed", "reason": "rate"}
    desk.take(of_sensor("water_supply", "pressure_low", "main", **doubt))
    desk.take(of_sensor("water_supply", "burst", "main", **doubt))
    assert low() == "unconfirmed"
    sure: dict[str, Any] = {"confidence": "confirmed", "reason": ""}
    desk.take(of_sensor("water_supply", "burst", "main", kind="confirmed", **sure))
    assert low() == "confirmed"
