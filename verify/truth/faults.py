"""Injected sensor faults against what quality control says of them, stream by stream.

Each stream is played with so many sensors (twins of the city's own, with their own randomness) and
for so long that every kind of fault comes often enough to be counted; a frame holds a cadence. What
nobody can see in principle is told apart by the labels (``simulators/truth.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from catalog.contracts import FLAG_FAIL, FLAG_SUSPECT
from catalog.model import Stream
from catalog.registry import stream
from engine.partition import PartitionEngine
from simulators.core.chance import Chance
from simulators.core.city import City
from simulators.core.fleet import US as MICRO
from simulators.core.fleet import fleet_of
from simulators.default import StreamSimulator
from simulators.faults import Delivery, FaultRates, FaultyLine, slot_s
from simulators.score import Flag, Score, detected
from simulators.truth import Label

ABOUT = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
SENSORS = 40
PASSES_LEAST, PASSES_MOST = 1500, 4500
"""Readings of each sensor: no fewer, and no more."""
SPIKE, LATE, DUPLICATE, OUT_OF_ORDER, STUCK_SHARE = 1e-3, 5e-3, 5e-3, 5e-3, 0.5


@dataclass(frozen=True, slots=True)
class Play:
    """One stream with faults: from when on (epoch s), how many readings of how many sensors."""

    stream: Stream
    seed: int
    sensors: int
    begin: float
    passes: int

    @classmethod
    def of(cls, name: str, seed: int) -> "Play":
        """Return a stream's play: one slot of stuck values where that is not too long."""
        declared = stream(name)
        slot = slot_s(declared)
        passes = int(slot // declared.cadence_s)
        passes = min(max(passes, PASSES_LEAST), PASSES_MOST)
        known = len(fleet_of(declared, Chance(seed)))
        return cls(declared, seed, max(known, SENSORS), ABOUT // slot * slot, passes)

    @property
    def end(self) -> float:
        """When the last reading is due (epoch s)."""
        return self.begin + self.passes * self.stream.cadence_s

    @property
    def rates(self) -> FaultRates:
        """Return how often faults come."""
        a_day = STUCK_SHARE * 86_400 / slot_s(self.stream)
        return FaultRates(
            stuck=a_day, spike=SPIKE, late=LATE, duplicate=DUPLICATE, out_of_order=OUT_OF_ORDER
        )


def scores(name: str, seed: int) -> list[Score]:
    """Return what quality control found of the faults of one stream, a score a kind."""
    return score_play(Play.of(name, seed))


def score_play(play: Play) -> list[Score]:
    """Return what quality control found in one play."""
    delivery = deliver(play)
    flags, duplicates = hear(play, delivery)
    labels = [label for label in delivery.labels if _came(label, play)]
    return [*detected(labels, flags), _duplicates(labels, duplicates)]


def deliver(play: Play) -> Delivery:
    """Return all readings of the play, when each arrives, and the labels."""
    chance = Chance(play.seed)
    fleet = fleet_of(play.stream, chance, play.sensors)
    line = FaultyLine(StreamSimulator(play.stream, play.seed, fleet), play.rates, chance)
    rows = fleet.due(int(play.begin * MICRO), int(play.end * MICRO))
    return line.deliver(City(play.seed), rows)


def hear(play: Play, delivery: Delivery) -> tuple[list[Flag], int]:
    """Return the engine's flags, and how many copies it knew."""
    engine, flags, copies = PartitionEngine(play.stream), [], 0
    for at, batch in frames(play, delivery):
        out = engine.process(batch, datetime.fromtimestamp(at, UTC), int(at * MICRO))
        copies += out.duplicates
        flags += [
            Flag(s, sensor, "" if metric == "*" else metric, test, told / MICRO, at)
            for s, sensor, told, metric, test, flag, _ in out.flags
            if flag in (FLAG_SUSPECT, FLAG_FAIL)
        ]
    return flags, copies


def frames(play: Play, delivery: Delivery) -> Iterator[tuple[float, pa.RecordBatch]]:
    """Yield what arrives in each cadence, with its end (epoch s)."""
    order = np.argsort(delivery.arrives, kind="stable")
    arrives, batch = delivery.arrives[order], delivery.batch.take(pa.array(order))
    cadence = play.stream.cadence_s
    ends = play.begin + cadence * np.arange(1, play.passes + 1)
    cuts = np.searchsorted(arrives, ends, side="right")
    first = 0
    for end, cut in zip(ends.tolist(), cuts.tolist(), strict=True):
        if cut > first:
            yield end, batch.slice(first, cut - first)
        first = cut


def _came(label: Label, play: Play) -> bool:
    """Tell whether there was time to see the fault; what began before the play was not learned."""
    cadence = play.stream.cadence_s
    if label.at < play.begin:
        return bool(label.hidden)
    if label.shows_at is not None:
        return label.shows_at + 3 * cadence < play.end
    return label.at + (label.delay_s or 0.0) + 2 * cadence < play.end


def _duplicates(labels: list[Label], known: int) -> Score:
    # a copy of a reading that was late beyond use is refused as late itself
    late = {(t.sensor, t.at) for t in labels if t.kind == "late" and t.beyond}
    made = sum(t.kind == "duplicate" and (t.sensor, t.at) not in late for t in labels)
    return Score("duplicate", made, min(made, known), known, min(made, known))
