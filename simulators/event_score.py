"""Score detections against the simulator's truth: events made at random, minutes as measured.

Truth is what was made: where, from when to when, how much was blocked. An event counts as *seen* by
the road when it has pushed the link's speed below half of what it would have been, for as long as a
detector needs; at night a blocked lane stops nobody. A record within an event, or up to ten minutes
after it, has found it; any other is false.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.detection import Detection, Fall
from catalog.registry import stream
from engine.falls import evaluate
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.fleet import US
from simulators.default import StreamSimulator
from simulators.faults import NO_FAULTS, FaultRates, FaultyLine

MINUTE_S = 60
DAY_S = 86_400
AFTER_S = 600
HALF = 0.5
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """How a detection did. ``seen``: events that the road has felt; ``false_day``: false records a
    day and 100 sensors; ``delay_s``: median from the beginning to the record."""

    made: int
    seen: int
    found: int
    found_of_seen: int
    false_day: float
    delay_s: float | None

    @property
    def rate(self) -> float | None:
        """The share of felt events that was found."""
        return self.found_of_seen / self.seen if self.seen else None


def random_events(
    city: City, one: Detection, scenario: str, start_s: float, days: int, a_day: float
) -> list[Event]:
    """Return accidents at random sensors and times: 20 to 60 min, 40 to 70 % of lanes blocked."""
    ids, chance = city.fleet(one.stream).ids, city.chance
    found: list[Event] = []
    for n in range(round(days * a_day)):
        draw = lambda what, n=n: float(chance.uniform(f"score/{what}", n))  # noqa: E731
        found.append(
            Event(
                id=f"score-{n}",
                name=scenario,
                start=start_s + draw("at") * (days * DAY_S - 2 * 3600),
                duration_s=1200 + 2400 * draw("long"),
                intensity=(0.4 + 0.3 * draw("size")) / 0.55,
                where=ids[int(draw("where") * len(ids))],
            )
        )
    return apart(found)


def apart(events: list[Event]) -> list[Event]:
    """Leave out events that meet another at the same place: what is found would be of which?"""
    ordered = sorted(events, key=lambda e: (e.where, e.start))
    close = {
        b.id for a, b in pairwise(ordered) if a.where == b.where and b.start < a.end + 3 * 3600
    }
    return [e for e in ordered if e.id not in close]


def minutes_of(
    city: City, one: Detection, start_s: float, days: int, rates: FaultRates = NO_FAULTS
) -> Floats:
    """Return what the sensors measure, minute by minute ``[T, S]``; NaN without a reading."""
    simulator = StreamSimulator(stream(one.stream), city.seed)
    fleet, line = simulator.fleet, FaultyLine(simulator, rates, city.chance)
    place = {id: n for n, id in enumerate(fleet.ids)}
    found = np.full((days * DAY_S // MINUTE_S, len(fleet)), np.nan)
    for day in range(days):
        begin = int((start_s + day * DAY_S) * US)
        rows = fleet.due(begin - 1, begin + DAY_S * US - 1)
        batch = line.deliver(city, rows).batch
        at = batch.column("observed_at").cast(pa.int64()).to_numpy()
        sensors = [place[id] for id in batch.column("sensor").to_pylist()]
        value = batch.column(one.metric).to_numpy(zero_copy_only=False)
        found[(at - int(start_s * US)) // (MINUTE_S * US), sensors] = value
    return found


def opened(minutes: Floats, fall: Fall, quiet_min: float) -> list[tuple[int, int]]:
    """Return (sensor, minute) of each record that the detection would open."""
    free = np.zeros(minutes.shape[1])
    standing = np.zeros(minutes.shape[1], bool)
    found: list[tuple[int, int]] = []
    for minute in range(fall.back_min, len(minutes)):
        evaluated = evaluate(minutes[minute - fall.back_min + 1 : minute + 1], fall)
        new = evaluated.fallen & ~standing & (free <= minute)
        found += [(int(place), minute) for place in np.flatnonzero(new)]
        over = standing & evaluated.over
        free[over] = minute + quiet_min
        standing = (standing | new) & ~over
    return found


def score(
    one: Detection,
    ids: tuple[str, ...],
    start_s: float,
    events: list[Event],
    minutes: Floats,
    calm: Floats,
) -> Score:
    """Return how a detection did on ``minutes``; ``calm`` are the same without the events."""
    there = opened(minutes, one.fall, one.quiet_min)
    records = [(ids[place], start_s + (minute + 1) * MINUTE_S) for place, minute in there]
    explained: set[int] = set()
    delays: list[float] = []
    seen = found_of_seen = found = 0
    for event in events:
        mine = [
            (n, at)
            for n, (where, at) in enumerate(records)
            if where == event.where and event.start <= at <= event.end + AFTER_S
        ]
        felt = _felt(one.fall, ids.index(event.where), start_s, event, minutes, calm)
        seen += felt
        explained |= {n for n, _ in mine}
        if mine:
            found += 1
            found_of_seen += felt
            delays.append(min(at for _, at in mine) - event.start)
    wrong = len(records) - len(explained)
    sensor_days = len(ids) * len(minutes) * MINUTE_S / DAY_S
    return Score(
        made=len(events),
        seen=seen,
        found=found,
        found_of_seen=found_of_seen,
        false_day=100 * wrong / sensor_days,
        delay_s=median(delays) if delays else None,
    )


def _felt(
    fall: Fall, place: int, start_s: float, event: Event, minutes: Floats, calm: Floats
) -> bool:
    first, last = (int((at - start_s) // MINUTE_S) for at in (event.start, event.end))
    with np.errstate(invalid="ignore"):
        halved = minutes[first:last, place] <= HALF * calm[first:last, place]
    return first >= fall.back_min and int(halved.sum()) >= fall.of
