"""Golden cases of alerts that end because nothing more can be said, or because more is said.

Each story is told by the plain reference and by the engine, which must agree.
"""

from catalog.sensors import sensors_of
from catalog.ticks import Tick
from tests.cases.story import both, doubts, live, of_rule, readings, tell, ticks
from tests.property.logs import START, US, Record
from verify.oracle.reference import Values

HOUR = 3600


def test_a_silent_sensor_is_not_called_unwell_as_well() -> None:
    """Unwell at 600 s, silent at 820 s, back and still unwell at 1200 s: one alert at any time."""
    unwell, well = sensors_of("traffic_flow")[0].id, sensors_of("traffic_flow")[1].id
    good: Values = {"flow_veh_h": 300.0, "speed_km_h": 40.0, "occupancy_pct": 10.0}
    frames: list[Record] = []
    for at in range(0, 1400, 20):
        named = [(well, good), (unwell, good | {"speed_km_h": -50.0})]
        frames.append(tuple((s, (START + at) * US, v) for s, v in named[: 1 + (at <= 700)]))
        if at >= 1200:
            frames[-1] = tuple((s, (START + at) * US, v) for s, v in named)
    log = live(frames, until=1399)
    silent = tell("traffic_flow", "traffic_flow.silent", log, unwell)
    assert silent == [("raised", 4, 820), ("cleared", 4, 1200)]
    assert tell("traffic_flow", "traffic_flow.health", log, unwell) == [
        ("raised", 4, 600),
        ("cleared", 4, 820),
        ("raised", 4, 1220),
    ]
    found = [
        of_rule(result, "traffic_flow.health", [unwell])[1] for result in both("traffic_flow", log)
    ]
    assert [(t["confidence"], t["reason"]) for t in found] == [("confirmed", "silent")] * 2


SLOW = [
    *readings("lane", "speed_km_h", *((n * HOUR, 50.0 + n % 3 - 20 * (n >= 60)) for n in range(62)))
]
"""A lane that becomes slow at the 60th hour; that is said with the reading after it."""


def test_an_unusual_alert_ends_when_nothing_comes_any_more() -> None:
    """The last reading is of 61:00; 15 min after its beat of 5 min nothing can be said."""
    log = [*SLOW, *ticks(61 * HOUR + 1, 62 * HOUR)]
    told = tell("traffic_flow", "traffic_flow.unusually_slow", log)
    assert told == [("raised", 4, 60 * HOUR + 300), ("cleared", 4, 61 * HOUR + 300 + 900)]
    told = doubts("traffic_flow", "traffic_flow.unusually_slow", log)
    assert told == [("raised", 4, ""), ("cleared", 4, "unheard")]


def test_an_unusual_alert_ends_when_its_sensor_is_unwell() -> None:
    """From 61:00 on only failed values come: as if none did."""
    bad = readings("lane", "speed_km_h", *((61 * HOUR + n * 60, -99.0) for n in range(1, 30)))
    log = live(bad, until=62 * HOUR)
    log = [*SLOW, *(r for r in log if not isinstance(r, Tick) or r.at > START + 61 * HOUR)]
    told = doubts("traffic_flow", "traffic_flow.unusually_slow", log)
    assert told == [("raised", 4, ""), ("cleared", 4, "unheard")]


def test_an_unusual_alert_of_a_stuck_sensor_is_withdrawn() -> None:
    """Stuck from 60:00 on at 30 km/h: after 2 h that is certain, and the alert was none."""
    well = readings("lane", "speed_km_h", *((n * HOUR, 50.0 + n % 3) for n in range(60)))
    stuck = readings("lane", "speed_km_h", *((60 * HOUR + n * 300, 30.0) for n in range(40)))
    told = doubts("traffic_flow", "traffic_flow.unusually_slow", [*well, *stuck])
    assert told == [("raised", 4, ""), ("withdrawn", 4, "flat")]
