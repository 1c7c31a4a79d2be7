"""What goes wrong between a device and the platform, drawn from the city's seed.

Values (stuck, spike) and the way (missing, late, duplicate, out of order) of a reading depend on
seed, sensor and its running number alone. Poison is no reading: bad bytes on a topic.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace

import msgspec
import numpy as np
import pyarrow as pa

from catalog.model import FlatLine, Metric, Stream
from simulators.core.chance import Chance, Floats
from simulators.core.city import City
from simulators.core.fleet import US, Rows
from simulators.default import StreamSimulator
from simulators.spoilt import reading_before, replaced, spike_hidden, spiked_values
from simulators.truth import Hidden, Kind, Label
from simulators.ways import Ways

SLOT_S = 12 * 3600
"""A sensor sticks at most once in a slot, in its first half; a slot is longer where it must be so
that a stuck value can be told (a river's level may stand still for half a day)."""
STUCK_FACTOR = 1.4
SPIKE_LOW, SPIKE_HIGH = 1.5, 3.0
SEEN_CADENCES = 3
"""A value stuck for less than this beyond the metric's limit cannot be told from a steady one."""


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often: a share of readings, ``stuck`` per sensor and day, ``poison`` per hour."""

    missing: float = 0.0
    stuck: float = 0.0
    spike: float = 0.0
    late: float = 0.0
    duplicate: float = 0.0
    out_of_order: float = 0.0
    poison: float = 0.0


NO_FAULTS = FaultRates()
SMALL_FAULTS = FaultRates(
    missing=1e-3,
    stuck=2e-3,
    spike=2e-5,
    late=1e-3,
    duplicate=5e-3,
    out_of_order=2e-3,
)
"""What a well-kept network shows; the live city's default. Poison is no everyday thing."""
MANY_FAULTS = FaultRates(
    missing=0.02, stuck=0.5, spike=2e-3, late=0.02, duplicate=0.02, out_of_order=0.02, poison=60.0
)
PRESETS = {"none": NO_FAULTS, "small": SMALL_FAULTS, "many": MANY_FAULTS}


def parse_rates(preset: str, given: Iterable[str]) -> FaultRates:
    """Return a preset with ``KIND=RATE`` changes; ValueError says what is wrong."""
    if preset not in PRESETS:
        raise ValueError(f"{preset!r} is no preset; choose one of {', '.join(PRESETS)}")
    rates, known = PRESETS[preset], [f.name for f in fields(FaultRates)]
    for item in given:
        kind, _, rate = item.partition("=")
        kind = kind.replace("-", "_")
        if kind not in known:
            raise ValueError(f"{kind!r} is no fault; choose one of {', '.join(known)}")
        try:
            value = float(rate)
        except ValueError:
            raise ValueError(f"{item!r}: write {kind}=RATE, a number") from None
        if value < 0 or (value > 1 and kind not in ("stuck", "poison")):
            raise ValueError(f"{item!r}: the rate is a share of readings, 0 to 1")
        rates = replace(rates, **{kind: value})
    return rates


@dataclass(slots=True)
class Delivery:
    """What comes out of the line, when each reading arrives (epoch s), and the truth about it."""

    batch: pa.RecordBatch
    arrives: Floats
    labels: list[Label] = field(default_factory=list)


def slot_s(stream: Stream) -> float:
    """Return the seconds of a slot in which a sensor sticks at most once."""
    longest = max((m.flat.suspect_s for m in stream.metrics if m.flat), default=0.0)
    return max(SLOT_S, 2 * STUCK_FACTOR * longest)


class FaultyLine:
    """The way from one stream's devices to the platform."""

    def __init__(self, simulator: StreamSimulator, rates: FaultRates, chance: Chance) -> None:
        self._simulator = simulator
        self._fleet, self._stream = simulator.fleet, simulator.stream
        self._rates = rates
        self._chance = chance
        self._ways = Ways(simulator.fleet, asdict(rates), chance)
        self._stuck_told: set[tuple[int, int, str]] = set()

    def deliver(self, city: City, rows: Rows) -> Delivery:
        """Return these readings as they arrive."""
        batch, labels = self._simulator.batch(city, rows), []
        if len(rows) and self._rates != NO_FAULTS:
            batch = self._stick(city, rows, batch, labels)
            batch = self._spike(rows, batch, labels)
            return self._send(rows, batch, labels)
        return Delivery(batch, rows.at_s)

    def _stick(
        self, city: City, rows: Rows, batch: pa.RecordBatch, labels: list[Label]
    ) -> pa.RecordBatch:
        for metric in self._stream.metrics:
            if metric.flat is None or not self._rates.stuck:
                continue
            begin, end = self._stuck_span(metric, metric.flat, rows)
            hit = np.flatnonzero((rows.at_s > begin) & (rows.at_s <= end))
            if len(hit):
                held = reading_before(self._fleet, rows.index[hit], begin[hit])
                kept = self._simulator.batch(city, held).column(metric.name)
                batch = replaced(batch, metric.name, hit, kept)
                values = kept.to_numpy(zero_copy_only=False)
                spans = zip(rows.index[hit], begin[hit], end[hit], values, strict=True)
                labels += self._stuck_labels(city, metric, metric.flat, spans)
        return batch

    def _stuck_span(self, metric: Metric, flat: FlatLine, rows: Rows) -> tuple[Floats, Floats]:
        """Return begin and end (epoch s) of the stuck span of each reading's slot; empty if none.

        Only one of the stream's metrics that can stick does so in one slot.
        """
        able = [m.name for m in self._stream.metrics if m.flat]
        slot_length = slot_s(self._stream)
        slot, key = np.floor(rows.at_s / slot_length), self._fleet.keys[rows.index]
        which = self._chance.uniform("fault/stuck-metric", key, slot) * len(able)
        draw = self._chance.uniform("fault/stuck", key, slot)
        length = STUCK_FACTOR * flat.suspect_s
        begin = (slot + 0.5 * self._chance.uniform("fault/stuck-at", key, slot)) * slot_length
        hit = (draw < self._rates.stuck * slot_length / 86_400) & (
            which.astype(int) == able.index(metric.name)
        )
        return begin, np.where(hit, begin + length, begin)

    def _stuck_labels(
        self,
        city: City,
        metric: Metric,
        flat: FlatLine,
        spans: Iterable[tuple[int, float, float, float]],
    ) -> Iterator[Label]:
        """Yield a label of each span not told yet: sensor, begin, end (epoch s) and held value."""
        for sensor, start, stop, value in spans:
            told = (int(sensor), int(start), metric.name)
            if told in self._stuck_told:
                continue
            self._stuck_told.add(told)
            hidden: Hidden = ""
            if flat.ignore_zero and value == 0:
                hidden = "zero"
            elif stop - start < flat.suspect_s + SEEN_CADENCES * self._stream.cadence_s:
                hidden = "short"
            elif self._is_sound(city, metric, flat, told[0], start, stop, value):
                hidden = "sound"
            yield Label(
                kind="stuck",
                stream=self._stream.name,
                sensor=self._fleet.ids[sensor],
                metric=metric.name,
                at=float(start),
                until=float(stop),
                value=None if np.isnan(value) else float(value),
                shows_at=float(start) + flat.suspect_s,
                hidden=hidden,
            )

    def _is_sound(
        self,
        city: City,
        metric: Metric,
        flat: FlatLine,
        sensor: int,
        start: float,
        stop: float,
        value: float,
    ) -> bool:
        """Tell whether a sound sensor would have stood as still all the time."""
        due = self._fleet.due(int(start * US), int(stop * US))
        rows = due.chosen(due.index == sensor)
        sound = self._simulator.batch(city, rows).column(metric.name)
        return bool((np.abs(sound.to_numpy(zero_copy_only=False) - value) <= flat.tolerance).all())

    def _spike(self, rows: Rows, batch: pa.RecordBatch, labels: list[Label]) -> pa.RecordBatch:
        able = [m for m in self._stream.metrics if m.spike]
        hit = np.flatnonzero(self._ways.hit("spike", rows)) if able else np.empty(0, int)
        if not len(hit):
            return batch
        keys, nth = self._fleet.keys[rows.index[hit]], rows.nth[hit]
        which = (self._chance.uniform("fault/spike-metric", keys, nth) * len(able)).astype(int)
        size = self._chance.between(SPIKE_LOW, SPIKE_HIGH, "fault/spike-size", keys, nth)
        sign = np.where(self._chance.uniform("fault/spike-sign", keys, nth) < 0.5, -1.0, 1.0)
        for number, metric in enumerate(able):
            mine = which == number
            if mine.any():
                taken = hit[mine]
                spiked, small = spiked_values(metric, batch, taken, size[mine], sign[mine])
                batch = replaced(batch, metric.name, taken, pa.array(spiked))
                way = self._ways.of(rows.chosen(taken))
                told = self._labels("spike", rows, taken, metric.name, spiked)
                labels += [
                    msgspec.structs.replace(label, hidden=spike_hidden(*facts))
                    for label, *facts in zip(told, small, way.missing, way.delay, strict=True)
                ]
        return batch

    def _send(self, rows: Rows, batch: pa.RecordBatch, labels: list[Label]) -> Delivery:
        way = self._ways.of(rows)
        twice = self._ways.hit("duplicate", rows) & ~way.missing
        sent = np.concatenate([np.flatnonzero(~way.missing), np.flatnonzero(twice)])
        arrives = (rows.at_s + way.delay)[sent]
        arrives[int((~way.missing).sum()) :] += self._stream.cadence_s
        told: dict[Kind, np.ndarray] = {
            "missing": way.missing,
            "late": way.late,
            "out_of_order": way.swapped,
            "duplicate": twice,
        }
        for kind, hit in told.items():
            labels += self._labels(kind, rows, np.flatnonzero(hit), delay=way.delay)
        return Delivery(batch.take(pa.array(sent)), arrives, labels)

    def _labels(
        self,
        kind: Kind,
        rows: Rows,
        hit: np.ndarray,
        metric: str = "",
        values: Floats | None = None,
        delay: Floats | None = None,
    ) -> list[Label]:
        made = []
        if delay is None:
            delay = np.zeros(len(rows))
        ahead = self._ways.ahead(rows.chosen(hit), delay[hit])
        for place, row in enumerate(hit):
            held = float(delay[row]) or None
            beyond = held is not None and held > self._stream.lateness_s
            made.append(
                Label(
                    kind=kind,
                    stream=self._stream.name,
                    sensor=self._fleet.ids[rows.index[row]],
                    metric=metric,
                    at=int(rows.at_us[row]) / US,
                    value=None if values is None else float(values[place]),
                    delay_s=held,
                    beyond=beyond,
                    hidden="in_time" if beyond and not ahead[place] else "",
                )
            )
        return made
