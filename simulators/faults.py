"""What goes wrong between a device and the platform, drawn from the city's seed.

Values (stuck, spike) and the way (missing, late, duplicate, out of order) of a reading depend on
seed, sensor and its running number alone. Poison is no reading: bad bytes on a topic.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pyarrow as pa

from catalog.model import FlatLine, Metric
from simulators.core.chance import Chance, Floats
from simulators.core.city import City
from simulators.core.fleet import US, Fleet, Rows
from simulators.default import StreamSimulator
from simulators.truth import Kind, Label

SLOT_S = 12 * 3600
"""A sensor sticks at most once in a slot, in its first half."""
STUCK_FACTOR = 1.4
SPIKE_LOW, SPIKE_HIGH = 1.5, 3.0
LATE_SHARES = (0.2, 1.4)
"""Delay of a late reading, as a share of the stream's lateness."""


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


class FaultyLine:
    """The way from one stream's devices to the platform."""

    def __init__(self, simulator: StreamSimulator, rates: FaultRates, chance: Chance) -> None:
        self._simulator = simulator
        self._fleet, self._stream = simulator.fleet, simulator.stream
        self._rates = rates
        self._chance = chance
        self._stuck_told: set[tuple[int, int, str]] = set()

    def deliver(self, city: City, rows: Rows) -> Delivery:
        """Return these readings as they arrive."""
        batch, labels = self._simulator.batch(city, rows), []
        if len(rows) and self._rates != NO_FAULTS:
            batch = self._stick(city, rows, batch, labels)
            batch = self._spike(rows, batch, labels)
            return self._send(rows, batch, labels)
        return Delivery(batch, rows.at_s)

    def _hit(self, kind: str, rows: Rows) -> np.ndarray:
        """Tell which readings suffer this."""
        rate = getattr(self._rates, kind)
        if not rate:
            return np.zeros(len(rows), bool)
        draw = self._chance.uniform(f"fault/{kind}", self._fleet.keys[rows.index], rows.nth)
        return draw < rate

    def _stick(
        self, city: City, rows: Rows, batch: pa.RecordBatch, labels: list[Label]
    ) -> pa.RecordBatch:
        for metric in self._stream.metrics:
            if metric.flat is None or not self._rates.stuck:
                continue
            begin, end = self._stuck_span(metric, metric.flat, rows)
            hit = np.flatnonzero((rows.at_s > begin) & (rows.at_s <= end))
            if len(hit):
                held = _before(self._fleet, rows.index[hit], begin[hit])
                kept = self._simulator.batch(city, held).column(metric.name)
                batch = _with(batch, metric.name, hit, kept)
                self._tell_stuck(metric, rows.index[hit], begin[hit], end[hit], labels)
        return batch

    def _stuck_span(self, metric: Metric, flat: FlatLine, rows: Rows) -> tuple[Floats, Floats]:
        """Return begin and end (epoch s) of the stuck span of each reading's slot; empty if none.

        Only one of the stream's metrics that can stick does so in one slot.
        """
        able = [m.name for m in self._stream.metrics if m.flat]
        slot, key = np.floor(rows.at_s / SLOT_S), self._fleet.keys[rows.index]
        which = self._chance.uniform("fault/stuck-metric", key, slot) * len(able)
        draw = self._chance.uniform("fault/stuck", key, slot)
        length = min(STUCK_FACTOR * flat.suspect_s, SLOT_S / 2)
        begin = (slot + 0.5 * self._chance.uniform("fault/stuck-at", key, slot)) * SLOT_S
        hit = (draw < self._rates.stuck * SLOT_S / 86_400) & (
            which.astype(int) == able.index(metric.name)
        )
        return begin, np.where(hit, begin + length, begin)

    def _tell_stuck(
        self, metric: Metric, index: np.ndarray, begin: Floats, end: Floats, labels: list[Label]
    ) -> None:
        for sensor, start, stop in zip(index, begin, end, strict=True):
            told = (int(sensor), int(start), metric.name)
            if told not in self._stuck_told:
                self._stuck_told.add(told)
                labels.append(
                    Label(
                        kind="stuck",
                        stream=self._stream.name,
                        sensor=self._fleet.ids[sensor],
                        metric=metric.name,
                        at=float(start),
                        until=float(stop),
                    )
                )

    def _spike(self, rows: Rows, batch: pa.RecordBatch, labels: list[Label]) -> pa.RecordBatch:
        able = [m for m in self._stream.metrics if m.spike]
        hit = np.flatnonzero(self._hit("spike", rows)) if able else np.empty(0, int)
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
                spiked = _spiked(metric, batch, taken, size[mine], sign[mine])
                batch = _with(batch, metric.name, taken, pa.array(spiked))
                labels += self._labels("spike", rows, taken, metric.name, spiked)
        return batch

    def _send(self, rows: Rows, batch: pa.RecordBatch, labels: list[Label]) -> Delivery:
        missing = self._hit("missing", rows)
        late = self._hit("late", rows) & ~missing
        swapped = self._hit("out_of_order", rows) & ~missing & ~late
        twice = self._hit("duplicate", rows) & ~missing
        delay = self._delays(rows, late, swapped)
        sent = np.concatenate([np.flatnonzero(~missing), np.flatnonzero(twice)])
        arrives = (rows.at_s + delay)[sent]
        arrives[int((~missing).sum()) :] += self._stream.cadence_s
        told: dict[Kind, np.ndarray] = {
            "missing": missing,
            "late": late,
            "out_of_order": swapped,
            "duplicate": twice,
        }
        for kind, hit in told.items():
            labels += self._labels(kind, rows, np.flatnonzero(hit), delay=delay)
        return Delivery(batch.take(pa.array(sent)), arrives, labels)

    def _delays(self, rows: Rows, late: np.ndarray, swapped: np.ndarray) -> Floats:
        """Return by how many seconds each reading is held back."""
        keys, lateness = self._fleet.keys[rows.index], self._stream.lateness_s
        share = self._chance.between(*LATE_SHARES, "fault/delay", keys, rows.nth)
        delay = np.where(late, np.maximum(share * lateness, 1.0), 0.0)
        behind = 1.5 * self._stream.cadence_s
        return np.where(swapped, behind, delay)

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
        for place, row in enumerate(hit):
            held = float(delay[row]) if delay is not None and delay[row] else None
            made.append(
                Label(
                    kind=kind,
                    stream=self._stream.name,
                    sensor=self._fleet.ids[rows.index[row]],
                    metric=metric,
                    at=int(rows.at_us[row]) / US,
                    value=None if values is None else float(values[place]),
                    delay_s=held,
                    beyond=held is not None and held > self._stream.lateness_s,
                )
            )
        return made


def _spiked(
    metric: Metric, batch: pa.RecordBatch, rows: np.ndarray, size: Floats, sign: Floats
) -> Floats:
    """Return the values with a jump past the metric's failing spike limit, inside what it can say.

    A jump that the span would cut off goes the other way.
    """
    assert metric.spike is not None
    was = batch.column(metric.name).to_numpy(zero_copy_only=False)[rows]
    low, high = metric.fail_span
    jump = size * metric.spike[1]
    sign = np.where(was + sign * jump > high, -1.0, np.where(was + sign * jump < low, 1.0, sign))
    return np.round(np.clip(was + sign * jump, low, high), metric.decimals)


def _before(fleet: Fleet, index: np.ndarray, at_s: Floats) -> Rows:
    """Return the last reading of each sensor at or before its time."""
    cadence = fleet.stream.cadence_s * US
    nth = ((at_s * US).astype(np.int64) - fleet.phase_us[index]) // cadence
    return Rows(index, nth * cadence + fleet.phase_us[index], nth)


def _with(batch: pa.RecordBatch, name: str, rows: np.ndarray, values: pa.Array) -> pa.RecordBatch:
    """Return the batch with some values of one column replaced."""
    place = batch.schema.get_field_index(name)
    column = batch.column(place).to_numpy(zero_copy_only=False).copy()
    column[rows] = values.to_numpy(zero_copy_only=False)
    return batch.set_column(place, batch.schema.field(place), pa.array(column, from_pandas=True))
