"""The live city's facts: what happens at things, and when its uploads arrive at the platform."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.declared import files_of, load_module
from catalog.fact.model import Fact
from catalog.fact.rows import Row
from catalog.registry import facts
from ingest.producer import FrameProducer, Pending
from simulators.core.city import City
from simulators.truth import Label

TOGETHER_S = 10.0
"""Uploads of so long go in one batch; a step over a past hour is not one upload of an hour."""
KEEP = 20_000
"""Batches that are kept while the broker is away."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One fact: when (epoch s), its body, what its uploads suffer (empty: nothing), and arrival
    (epoch s) and body of each."""

    at_s: float
    row: Row
    what: str
    uploads: list[tuple[float, Row]]


Happen = Callable[[City, Any, float, float], list[Happened]]


class LiveFacts:
    """Steps all facts that have a simulator; what the broker does not take is kept."""

    def __init__(self) -> None:
        found = {file.stem: file for file in files_of("simulators") if file.stem in facts()}
        self._made: list[tuple[Fact, Happen]] = [
            (facts()[name], load_module(file).happen) for name, file in found.items()
        ]
        self._held: list[tuple[float, int, Fact, Row]] = []
        self._count = 0
        self.waiting: deque[tuple[Fact, list[Row], datetime]] = deque(maxlen=KEEP)

    def step(self, city: City, after_s: float, until_s: float, made_at: datetime) -> list[Label]:
        """Let happen what does in (after, until], and put what arrives by then among the waiting.

        Returns the truth of uploads that were lost, late, doubled or corrected.
        """
        labels: list[Label] = []
        for fact, happen in self._made:
            for one in happen(city, city.fleet(fact.stream), after_s, until_s):
                labels += _labels(fact, one)
                for arrives, row in one.uploads:
                    self._count += 1
                    heapq.heappush(self._held, (arrives, self._count, fact, row))
        due: dict[tuple[str, datetime], list[Row]] = {}
        while self._held and self._held[0][0] <= until_s:
            arrives, _, fact, row = heapq.heappop(self._held)
            received = datetime.fromtimestamp((arrives // TOGETHER_S + 1) * TOGETHER_S, UTC)
            due.setdefault((fact.name, min(received, made_at)), []).append(row)
        self.waiting.extend((facts()[name], rows, at) for (name, at), rows in due.items())
        return labels

    def send(self, producer: FrameProducer) -> list[Pending]:
        """Send what waits; the caller waits for all, then calls ``sent``."""
        return [producer.send_facts(*batch) for batch in self.waiting]

    def sent(self, count: int) -> int:
        """Forget the first ``count`` batches; return how many uploads they held."""
        return sum(len(self.waiting.popleft()[1]) for _ in range(count))


def _labels(fact: Fact, one: Happened) -> list[Label]:
    thing, delay = one.row["thing"], one.uploads[0][0] - one.at_s if one.uploads else None
    if one.what == "missing":
        return [Label(kind="missing", stream=fact.name, at=one.at_s, sensor=thing)]
    if one.what == "late":
        return [Label(kind="late", stream=fact.name, at=one.at_s, sensor=thing, delay_s=delay)]
    if one.what == "duplicate":
        return [Label(kind="duplicate", stream=fact.name, at=one.at_s, sensor=thing)]
    return []
