"""Detections on stored minutes: a fall opens one event, an answer holds, what passes ends."""

from datetime import timedelta

import pytest
from psycopg import Connection

from records.act import act, record_of
from records.detections import SETTLE, detect
from records.queries import get_page
from tests.support.works_system import Clock, People

LINK = "traffic-link-510105-01"
EVENT = "traffic_event"


class Road:
    """One link whose minutes a test writes, by a clock that it moves."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.people = People(conn)
        self.clock: Clock = self.people.clock
        self.clock.at += SETTLE
        self.minutes(0.9, 120)

    def minutes(self, ratio: float, count: int) -> None:
        """Let minutes pass at a ratio, a little up and down."""
        for n in range(count):
            self.clock.forward(minutes=1)
            value = ratio + 0.01 * (n % 3)
            self.conn.execute(
                "INSERT INTO aggregates_traffic_link (sensor, window_start, revision, n,"
                " speed_ratio_n, speed_ratio_good, speed_ratio_used, speed_ratio_sum)"
                " VALUES (%s, %s, 1, 1, 1, 0, 1, %s)",
                [LINK, self.clock.at - SETTLE - timedelta(minutes=1), value],
            )

    def look(self) -> int:
        return detect(self.people.engine(), self.clock.at)

    def events(self) -> list[tuple[int, str]]:
        query = "SELECT id, state FROM records WHERE kind = 'traffic_event' ORDER BY id"
        return self.conn.execute(query.encode()).fetchall()


@pytest.fixture
def road(conn: Connection) -> Road:
    return Road(conn)


def test_a_fall_opens_one_event_that_says_what_was_seen(road: Road, conn: Connection) -> None:
    road.minutes(0.2, 2)
    assert road.look() == 0
    road.minutes(0.2, 1)
    assert road.look() == 1
    road.minutes(0.2, 5)
    assert road.look() == 0
    ((id, state),) = road.events()
    page = get_page(conn, record_of(EVENT), id)
    assert (state, page.record.fields["category"]) == ("suspected", "congestion")
    assert page.record.district == "510105"
    assert f"traffic_link/{LINK} 0.20 / 0.92" in page.log[0].note
    assert [link.target for link in page.links] == [f"sensor:traffic_link/{LINK}"]


def test_what_passes_before_anyone_looked_is_closed(road: Road, conn: Connection) -> None:
    road.minutes(0.2, 3)
    road.look()
    road.minutes(0.9, 4)
    assert road.look() == 1
    ((id, state),) = road.events()
    assert (state, get_page(conn, record_of(EVENT), id).record.close_reason) == (
        "dismissed",
        "passed",
    )
    road.minutes(0.2, 4)
    assert road.look() == 0  # quiet for half an hour
    road.minutes(0.9, 40)
    road.minutes(0.2, 3)
    assert road.look() == 1
    assert [state for _, state in road.events()] == ["dismissed", "suspected"]


def test_what_a_person_has_confirmed_stays(road: Road) -> None:
    road.minutes(0.2, 3)
    road.look()
    ((id, _),) = road.events()
    act(road.people.desk(), EVENT, id, "confirm")
    road.minutes(0.9, 10)
    assert road.look() == 0
    assert road.events() == [(id, "confirmed")]


def test_a_gap_and_a_retired_detector_open_nothing(road: Road, conn: Connection) -> None:
    road.clock.forward(minutes=4)
    assert road.look() == 0
    road.minutes(0.2, 3)
    conn.execute("UPDATE sensors SET status = 'retired' WHERE sensor = %s", [LINK])
    assert road.look() == 0
