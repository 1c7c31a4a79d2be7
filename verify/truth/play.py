"""Play readings to the engine that runs in the city, and keep what it says of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from catalog.contracts import FLAG_FAIL, FLAG_SUSPECT, Transition
from catalog.frames import readings_schema
from catalog.lifecycle.day_kinds import kinds_of, weekends_alone
from catalog.model import Stream
from engine.outputs import EPOCH, Outputs, micros
from engine.partition import PartitionEngine
from verify.truth.series import Series

FRAME_ROWS = 200
DAY_KINDS = {"site": kinds_of, "weekends": weekends_alone}


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert: from when to when (epoch µs), None where it is open at the end."""

    rule: str
    kind: str
    sensor: str
    raised: int
    cleared: int | None
    peak: float | None = None

    def overlaps(self, begin: int, end: int) -> bool:
        """Tell whether it was open at any time between two times."""
        return self.raised <= end and (self.cleared is None or self.cleared >= begin)


@dataclass
class Heard:
    """What the engine said: episodes, and the worst flag of each value with the tests' names."""

    episodes: list[Episode] = field(default_factory=list)
    flags: list[tuple[str, str, int, str, str, int, float]] = field(default_factory=list)
    """Stream, sensor, time (epoch µs), metric, test, flag, value."""
    failures: list[str] = field(default_factory=list)


class Ear:
    """Collects the outputs of one engine."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._kinds = {stream.rule_id(rule): rule.kind for rule in stream.rules}
        self._open: dict[str, Episode] = {}
        self.heard = Heard()

    def take(self, out: Outputs) -> None:
        """Keep what one record gave."""
        for transition in out.transitions:
            self._move(transition)
        self.heard.flags += out.flags
        self.heard.failures += [f"{f.what}: {f.error}" for f in out.failures]

    def end(self) -> Heard:
        """Return all that was said; what is open stays open."""
        self.heard.episodes += self._open.values()
        self.heard.episodes.sort(key=lambda e: e.raised)
        self._open = {}
        return self.heard

    def _move(self, told: Transition) -> None:
        at, known = micros(told.observed_at), self._open.get(told.episode)
        if told.kind == "raised":
            kind = self._kinds.get(told.rule, "platform")
            self._open[told.episode] = Episode(told.rule, kind, told.sensor, at, None, told.value)
        elif known is not None and told.kind in ("cleared", "withdrawn"):
            del self._open[told.episode]
            if told.kind == "cleared":
                self.heard.episodes.append(
                    Episode(known.rule, known.kind, known.sensor, known.raised, at, known.peak)
                )


def play(series: Series) -> Heard:
    """Return what one engine says of a series, worked off from its beginning."""
    kind = DAY_KINDS[series.calendar]
    engine, ear = PartitionEngine(series.stream, day_kind=kind), Ear(series.stream)
    for batch in batches(series):
        ear.take(engine.process(batch, EPOCH))
    return ear.end()


def batches(series: Series) -> Iterator[pa.RecordBatch]:
    """Yield the readings as frames, in the order of time."""
    schema, names = readings_schema(series.stream), np.array(series.sensors, object)
    for begin in range(0, len(series.at), FRAME_ROWS):
        part = slice(begin, begin + FRAME_ROWS)
        arrays = [pa.array(names[series.who[part]], pa.string())]
        arrays.append(pa.array(series.at[part]).cast(schema.types[1]))
        arrays += [pa.array(column, from_pandas=True) for column in series.values[part].T]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class Quality:
    """How many values there were outside the labelled windows, and how many were doubted."""

    values: int
    suspect: int
    failed: int
    tests: tuple[tuple[str, int], ...]

    @property
    def suspect_share(self) -> float:
        """Share of the values that some test has flagged 3 or 4."""
        return (self.suspect + self.failed) / self.values if self.values else 0.0


def quality(series: Series, heard: Heard) -> Quality:
    """Return what quality control made of the values that are sound by their labels."""
    return count_flags(
        int((~np.isnan(series.values[_sound(series, series.at)])).sum()),
        heard,
        lambda at: bool(_sound(series, np.array([at]))[0]),
    )


def count_flags(values: int, heard: Heard, is_sound: Callable[[int], bool]) -> Quality:
    """Return flags by value; of a reading flagged as a whole (late, clock) nothing counts here."""
    worst: dict[tuple[str, str, int, str], int] = {}
    tests: Counter[str] = Counter()
    for name, sensor, at, metric, test, flag, _ in heard.flags:
        if metric != "*" and flag in (FLAG_SUSPECT, FLAG_FAIL) and is_sound(at):
            key = (name, sensor, at, metric)
            worst[key] = max(worst.get(key, 0), flag)
            tests[test] += 1
    flags = Counter(worst.values())
    return Quality(values, flags[FLAG_SUSPECT], flags[FLAG_FAIL], tuple(tests.most_common()))


def _sound(series: Series, at: np.ndarray) -> np.ndarray:
    is_sound = np.ones(len(at), bool)
    for begin, end in series.windows:
        is_sound &= (at < begin) | (at > end)
    return is_sound


def of_kind(episodes: Iterable[Episode], kind: str) -> list[Episode]:
    """Return the episodes of one kind of rule."""
    return [episode for episode in episodes if episode.kind == kind]
