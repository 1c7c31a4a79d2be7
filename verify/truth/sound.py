"""The simulated city without faults: what quality control doubts of it, whom it calls unwell.

The city's own sensors, each of so many readings as the bound allows: 7 days of a stream that
reports every 5 min, 3 hours of one that reports every 5 s. Everything found is false.
"""

from collections.abc import Callable, Iterator

import pyarrow as pa

from catalog.model import Stream
from catalog.registry import stream, streams
from engine.outputs import EPOCH
from engine.partition import PartitionEngine
from simulators.core.city import City
from simulators.core.fleet import catalog_fleet
from simulators.default import StreamSimulator
from verify.truth.faults import ABOUT
from verify.truth.labelled import Found
from verify.truth.play import Ear, Heard, count_flags, of_kind
from verify.truth.score import Doubt, Score, score

TITLE = "Simulated city, sound"
FRAME_CADENCES = 10
READINGS = 2000
"""Of each sensor, by default."""
DAY_S = 86_400


def sound_city(seed: int, say: Callable[[str], None], days: float | None = None) -> Found:
    """Return what is found in each stream without anything being wrong; by default a bounded time,
    else of ``days`` days."""
    found = Found(TITLE, is_labelled=False)
    for name in streams():
        say(f"sound {name}")
        doubt, scores = sound(name, seed, days)
        found.doubts.append(doubt)
        found.scores += scores
    return found


def sound(name: str, seed: int, days: float | None = None) -> tuple[Doubt, list[Score]]:
    """Return doubts and health of one stream, and its ``unusual`` rules' episodes."""
    declared = stream(name)
    length_s = READINGS * declared.cadence_s if days is None else days * DAY_S
    values, heard = play(declared, seed, length_s)
    sensors = len(catalog_fleet(declared, seed))
    sensor_days = sensors * length_s / DAY_S
    quality = count_flags(values, heard, lambda _: True)
    health = len(of_kind(heard.episodes, "health"))
    unusual = of_kind(heard.episodes, "unusual")
    has = any(rule.kind == "unusual" for rule in declared.rules)
    scores = [score("unusual", name, sensors, sensor_days, [], unusual)] if has else []
    return Doubt(name, sensors, sensor_days, quality, health), scores


def play(declared: Stream, seed: int, length_s: float) -> tuple[int, Heard]:
    """Return how many values there were, and what the engine said of them."""
    engine, ear, values = PartitionEngine(declared), Ear(declared), 0
    for batch in frames(declared, seed, length_s):
        values += sum(len(column) - column.null_count for column in batch.columns[2:])
        ear.take(engine.process(batch, EPOCH))
    return values, ear.end()


def frames(declared: Stream, seed: int, length_s: float) -> Iterator[pa.RecordBatch]:
    """Yield the readings, some cadences at a time, from a fixed midnight on."""
    simulator, city = StreamSimulator(declared, seed, catalog_fleet(declared, seed)), City(seed)
    step, at = FRAME_CADENCES * declared.cadence_s, ABOUT
    while at < ABOUT + length_s:
        yield simulator.readings(city, at, at + step)
        at += step
