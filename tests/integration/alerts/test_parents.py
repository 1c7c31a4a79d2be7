"""Floods of one rain in several districts lie under one parent; each keeps its own life."""

from pathlib import Path

import pytest

from alerts.incident.acts import merge_incidents, reopen_incident, resolve_incident
from alerts.incident.queries import Summary, get_incident, list_incidents, outermost
from catalog.errors import ConflictError
from tests.support.alerting import Desk
from tests.support.incidents import acts, after, notifying_each, ponding

ONE, TWO, THREE = "510104", "510105", "510107"


def flood(desk: Desk, district: str, s: float = 0, severity: int = 2, n: int = 1) -> Summary:
    """Let two places of a district flood; return the incident."""
    places = [f"waterlogging-{district}-0{place}" for place in (1, 2)]
    desk.take(*(ponding(s, place, severity=severity, n=n) for place in places))
    return next(i for i in list_incidents(desk.conn, kind="waterlogging", district=district))


def dry(desk: Desk, district: str, s: float, n: int = 1) -> None:
    for place in (1, 2):
        desk.take(ponding(s, f"waterlogging-{district}-0{place}", kind="cleared", n=n))


def rain(desk: Desk, s: float = 0) -> None:
    desk.take(after(s, "weather", "rain_3h", "weather-510108-01", severity=4))


def parent(desk: Desk) -> Summary:
    (found,) = list_incidents(desk.conn, kind="rainstorm", state="all")
    return found


@pytest.fixture
def storm(desk: Desk, tmp_path: Path) -> Desk:
    """Two districts under water in one rain."""
    notifying_each(desk, tmp_path)
    rain(desk)
    flood(desk, ONE, 60)
    flood(desk, TWO, 600)
    return desk


def test_floods_of_one_rain_are_one_with_a_life_of_their_own(storm: Desk) -> None:
    whole = parent(storm)
    assert (whole.status, whole.children, whole.alerts, whole.severity) == ("confirmed", 2, 4, 3)
    assert outermost(list_incidents(storm.conn)) == [whole], "the list and the wall show one"
    active = storm.conn.execute("SELECT incident, alerts FROM dash.active_incidents()").fetchall()
    assert active == [(whole.id, 4)]
    late = flood(storm, THREE, 1200)
    assert late.parent == whole.id
    page = get_incident(storm.conn, whole.id)
    assert {c.district for c in page.children} == {ONE, TWO, THREE}
    assert len(page.evidence) == 6
    below = get_incident(storm.conn, late.id)
    assert below.parent is not None
    assert below.parent.id == whole.id
    dry(storm, ONE, 1800)
    assert parent(storm).children_open == 2, "one district is over, the others go on"
    dry(storm, TWO, 1900)
    dry(storm, THREE, 2000)
    over = parent(storm)
    assert (over.status, over.peak_severity) == ("resolved", 3)
    assert outermost(list_incidents(storm.conn)) == []
    flood(storm, THREE, 2600, n=2)
    again = parent(storm)
    assert (again.status, again.reopened, again.children_open) == ("confirmed", 1, 1)
    assert acts(storm, over.id)[:4] == ["opened", "confirmed", "gathered", "gathered"]


def test_it_needs_the_rain_the_time_and_two_that_are_sure(desk: Desk, tmp_path: Path) -> None:
    notifying_each(desk, tmp_path)
    flood(desk, ONE)
    flood(desk, TWO, 60)
    assert list_incidents(desk.conn, kind="rainstorm") == [], "burst mains make no rainstorm"
    rain(desk, 90)
    assert parent(desk).children == 2, "the rain that is told later was the cause"
    desk.take(ponding(100, "waterlogging-510107-01"))
    assert parent(desk).children == 2, "a candidate is not sure"
    desk.take(ponding(110, "waterlogging-510107-02"))
    assert parent(desk).children == 3
    dry(desk, ONE, 200)
    far = flood(desk, "510108", 4 * 3600)
    assert far.parent is None, "hours later it is another rain"


def test_a_person_ends_reopens_and_merges_parents(storm: Desk) -> None:
    whole, now = parent(storm), storm.now
    child = next(i for i in list_incidents(storm.conn, kind="waterlogging"))
    told = (storm.notifier, storm.settings, now)
    with pytest.raises(ConflictError, match="another parent only"):
        merge_incidents(storm.conn, child.id, whole.id, "li", *told)
    resolve_incident(storm.conn, whole.id, "li", "drill is over", *told)
    assert parent(storm).status == "resolved"
    assert len(outermost(list_incidents(storm.conn))) == 2, "the children go on by themselves"
    flood(storm, THREE, 900)
    assert parent(storm).status == "resolved", "what a person ended stays ended"
    reopen_incident(storm.conn, whole.id, "li", "still raining", *told)
    dry(storm, ONE, 1000)
    dry(storm, TWO, 1000)
    dry(storm, THREE, 1100)
    assert parent(storm).status == "resolved", "it ends with the last of its children"


def test_notices_of_one_rain_come_as_one(desk: Desk) -> None:
    rain(desk)
    flood(desk, ONE, 60)
    said = len(desk.said())
    flood(desk, TWO, 600)
    assert parent(desk).status == "confirmed"
    with_parent = desk.said()[said:]
    assert with_parent[-1].startswith("grouped"), "second flood and parent in one message"
    before = len(desk.said())
    desk.later(seconds=10)
    flood(desk, THREE, 700)
    assert len(desk.said()) == before, "a third district is no news that cannot wait"
    desk.later(seconds=300)
    assert desk.said()[before:] == ["grouped 3"], "two alerts and their incident"
