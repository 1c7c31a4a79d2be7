"""The score of detections: by hand on a few minutes, and the declared one on a day of the city."""

from datetime import datetime

import numpy as np

from catalog.detection import detections
from catalog.site import zone
from simulators.core.city import City
from simulators.core.events import Event
from simulators.event_score import apart, minutes_of, opened, random_events, score

ONE = detections()["speed_drop"]
START = datetime(2026, 10, 12, tzinfo=zone()).timestamp()
HOUR = 3600.0


def event(where: str, hour: float, hours: float = 0.5, **more: float) -> Event:
    start = START + hour * HOUR
    return Event(
        id=f"{where}{hour}", name="road_incident", start=start, duration_s=hours * HOUR, where=where
    )


def course(*falls: tuple[int, int]) -> np.ndarray:
    """Return a day of minutes at 0.9, with 0.2 in these spans."""
    minutes = 0.9 + 0.01 * np.sin(np.arange(1440))
    for first, last in falls:
        minutes[first:last] = 0.2 + 0.01 * np.sin(np.arange(first, last))
    return minutes


def test_found_false_and_delay_are_counted_by_hand() -> None:
    minutes = np.stack([course((600, 630), (900, 930)), course((300, 330)), course()], axis=1)
    calm = np.stack([course()] * 3, axis=1)
    events = [event("a", 10), event("b", 12), event("c", 14)]
    found = score(ONE, ("a", "b", "c"), START, events, minutes, calm)
    assert opened(minutes, ONE.fall, ONE.quiet_min) == [(1, 302), (0, 602), (0, 902)]
    assert (found.made, found.seen, found.found, found.rate) == (3, 1, 1, 1.0)
    assert found.false_day == 100 * 2 / 3 and found.delay_s == 180.0


def test_events_at_one_place_are_kept_apart() -> None:
    events = [event("a", 3), event("a", 5), event("b", 5), event("a", 9)]
    assert [(e.where, e.start) for e in apart(events)] == [
        ("a", START + 3 * HOUR),
        ("a", START + 9 * HOUR),
        ("b", START + 5 * HOUR),
    ]


def test_the_declared_detection_keeps_its_bars_on_a_day_of_the_city() -> None:
    city = City(20261124)
    events = random_events(city, ONE, "road_incident", START, 1, 20)
    minutes = minutes_of(city.with_events(events), ONE, START, 1)
    calm = minutes_of(city, ONE, START, 1)
    found = score(ONE, city.fleet(ONE.stream).ids, START, events, minutes, calm)
    assert found.made >= 15 and found.seen >= 5
    assert found.rate is not None and found.rate >= 0.9
    assert found.false_day <= 1.0
    assert found.delay_s is not None and found.delay_s <= 300
