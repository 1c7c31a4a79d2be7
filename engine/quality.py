"""Real-time quality control after IOOS QARTOD: device, gross range, rate, jump, flat, relations.

Quality decides confidence, never silence: only what is impossible or proven wrong fails (4). All
other tests give at most 3, and rules look at such values too.
"""

from dataclasses import dataclass

import numpy as np

from catalog.contracts import FLAG_FAIL, FLAG_MISSING, FLAG_PASS, FLAG_SUSPECT
from catalog.model import Relation
from engine import doubts, flat, rates
from engine.alone import elementwise
from engine.cells import Sensors
from engine.outputs import Outputs
from engine.state import US, State

USUAL_STEPS = 8.0
"""A change within so many of a metric's usual changes is no sign of a fault."""
BESIDE_CADENCES = 3
"""Readings further apart say nothing of each other's spikes: an hourly station has its own pace."""
UNFIT, UNFIT_MOST, INSIDE = 12.0, 24.0, 1 / 32
"""A span that so many values were outside of says nothing of the sensor; a value inside takes back
so much, from no more than the second."""
LEARNING, HASTE = 1.05, 1.5
"""By how much one change moves what is usual, the running median of the changes; and by how much
one does that is far from usual: a sensor with more noise than its metric's limit is soon known."""


@dataclass(slots=True)
class Tested:
    """Readings ``[k, M]`` of distinct sensors, their flags and doubts so far."""

    state: State
    sensors: Sensors
    times: np.ndarray
    values: np.ndarray
    out: Outputs
    flags: np.ndarray
    doubts: np.ndarray
    stuck: np.ndarray | None = None  # values stuck beyond doubt, if any

    @classmethod
    def of(
        cls,
        state: State,
        sensors: Sensors,
        times: np.ndarray,
        values: np.ndarray,
        device: np.ndarray | None,
        out: Outputs,
    ) -> "Tested":
        """Begin with the tests of one value alone: missing, device, gross range."""
        flags = np.full(values.shape, FLAG_PASS, np.int8)
        flags[np.isnan(values)] = FLAG_MISSING
        made = cls(state, sensors, times, values, out, flags, np.zeros(values.shape, doubts.BITS))
        if device is not None:
            present = flags != FLAG_MISSING
            for flag in (FLAG_SUSPECT, FLAG_FAIL):
                made.mark("device", (device == flag) & present, flag, doubts.DEVICE)
        fail, odd = gross(state, sensors, values)
        if odd.any():
            odd &= sensors.read(state.arrays["odd_n"]) < UNFIT
        made.mark("gross", fail, FLAG_FAIL, doubts.GROSS)
        made.mark("gross", odd, FLAG_SUSPECT, doubts.GROSS)
        return made

    @property
    def used(self) -> np.ndarray:
        """Return which values are used: neither missing nor failed, ``[k, M]``."""
        return self.flags < FLAG_FAIL

    def settled(self) -> "Tested":
        """Return it without doubts about what failed: of that nothing is left to doubt."""
        if (failed := self.flags >= FLAG_FAIL).any():
            self.doubts[failed] = 0
        return self

    def chosen(self, rows: np.ndarray) -> "Tested":
        """Return some of the readings, by a mask."""
        return Tested(
            *(self.state, self.sensors.chosen(rows), self.times[rows], self.values[rows]),
            *(self.out, self.flags[rows], self.doubts[rows]),
        )

    def mark(self, test: str, hit: np.ndarray, flag: int, doubt: int) -> None:
        """Flag these values, and emit the flags."""
        if hit.any():
            self.flags[hit] = np.maximum(self.flags[hit], flag)
            self.doubts[hit] |= doubt
            emit(
                *(self.state, self.sensors, test, hit, flag, self.times[:, None]),
                *(self.values, self.out),
            )


def gross(state: State, sensors: Sensors, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which values are impossible, and which are outside what is usual (``[k, M]``)."""
    limits = state.limits
    fail = (values < limits.fail_low) | (values > limits.fail_high)
    if limits.any_named:
        fail |= limits.named & (values != np.rint(values)) & ~np.isnan(values)
    return fail, state.overrides.outside(limits, sensors, values) & ~fail


def emit(
    state: State,
    sensors: Sensors,
    test: str,
    hit: np.ndarray,
    flag: int | np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    out: Outputs,
) -> None:
    """Emit flags ``[k, M]``; ``times`` is ``[k, 1]``, ``flag`` one for all or ``[k, M]``."""
    names, flags = state.stream.metric_names, np.broadcast_to(flag, hit.shape)
    for row, m in zip(*np.nonzero(hit), strict=True):
        place = (int(sensors.slots[row]), int(times[row, 0]), names[m])
        out.flag(*place, test, int(flags[row, m]), float(values[row, m]))


def test(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    values: np.ndarray,
    device: np.ndarray | None,
    out: Outputs,
) -> Tested:
    """Test each sensor's newest reading and remember its values."""
    tested, a = Tested.of(state, sensors, times, values, device, out), state.arrays
    known = tested.used
    _fit_span(tested, known)
    p1, p1_at = sensors.read(a["p1"]), sensors.read(a["p1_at"])
    change = np.where(known, np.abs(values - p1), np.nan)
    if state.limits.any_counter:
        change = _risen(state, change, values, p1, times[:, None] - p1_at)
    _changes(tested, change, p1_at)
    if state.limits.flats:
        jumps = tested.doubts & doubts.JUMP
        jumped = sensors.chosen(np.asarray(jumps.any(axis=1))) if jumps.any() else None
        stuck = flat.test(flat.Seen(state, sensors, times[:, None], values, change, known), jumped)
        if stuck is not None:
            tested.mark("flat", stuck.suspect, FLAG_SUSPECT, doubts.FLAT)
            tested.mark("flat", stuck.fail, FLAG_FAIL, doubts.FLAT)
            tested.stuck = stuck.fail
    _relations(tested)
    _remember(tested, p1, p1_at)
    return tested.settled()


def test_behind(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    values: np.ndarray,
    device: np.ndarray | None,
    out: Outputs,
) -> Tested:
    """Test readings older than their sensor's newest, by tests of one reading alone."""
    tested = Tested.of(state, sensors, times, values, device, out)
    _relations(tested)
    return tested.settled()


def beside_us(state: State) -> int:
    """Return how far apart two readings may lie so that one can show the other to be a spike."""
    return BESIDE_CADENCES * state.stream.cadence_s * US


def usual_change(state: State, sensors: Sensors) -> np.ndarray:
    """Return the change up to which nothing is unusual, of each sensor and metric ``[k, M]``."""
    step = sensors.read(state.arrays["step"])
    return USUAL_STEPS * np.where(step == 0, state.limits.first_step, step)


def _risen(
    state: State, change: np.ndarray, values: np.ndarray, p1: np.ndarray, since: np.ndarray
) -> np.ndarray:
    """Return the changes with those of counters as what they rose by; infinite for a fall that
    nothing explains."""
    limits = state.limits
    rise = rates.increase(values - p1, values, limits.fail_high, limits.rate_per_min, since)
    return np.where(
        limits.counters & ~np.isnan(change), np.where(np.isnan(rise), np.inf, rise), change
    )


def _remember(tested: Tested, p1: np.ndarray, p1_at: np.ndarray) -> None:
    """Make the values that are used the last ones, and the last ones those before."""
    sensors, a, known = tested.sensors, tested.state.arrays, tested.used
    pairs = (("p2", p1), ("p2_at", p1_at), ("p1", tested.values), ("p1_at", tested.times[:, None]))
    if known.all():
        for name, new in pairs:
            sensors.write(a[name], new)
        return
    kept = [np.where(known, new, sensors.read(a[name])) for name, new in pairs]
    for (name, _), new in zip(pairs, kept, strict=True):
        sensors.write(a[name], new)


def _fit_span(tested: Tested, known: np.ndarray) -> None:
    """Count how often values lie outside their declared span: one that is so for good, or for a
    season, is no sign of a fault."""
    state, odd_n = tested.state, tested.state.arrays["odd_n"]
    outside = state.overrides.outside(state.limits, tested.sensors, tested.values)
    count = tested.sensors.read(odd_n)
    if outside.any() or count.any():
        moved = np.where(
            outside, np.minimum(count + 1, UNFIT_MOST), np.maximum(count - INSIDE, 0.0)
        )
        tested.sensors.write(odd_n, np.where(known, moved, count))


def _changes(tested: Tested, change: np.ndarray, p1_at: np.ndarray) -> None:
    """Hold the change since the last value against what is plausible and what is usual."""
    state, limits = tested.state, tested.state.limits
    if not (limits.rates or limits.spikes):
        return
    usual = usual_change(state, tested.sensors)
    large, own = change > usual, state.overrides.own
    odd = large if own is None else large & (change > tested.sensors.read(own.resolution))
    if odd.any():
        if limits.rates:
            allowed = limits.rate_per_min * (tested.times[:, None] - p1_at) / (60 * US)
            tested.mark("rate", odd & (change > allowed), FLAG_SUSPECT, doubts.RATE)
        if limits.spikes:
            soon = tested.times[:, None] - p1_at <= beside_us(state)
            jump = odd & (change > limits.spike_suspect) & soon
            tested.mark("jump", jump, FLAG_SUSPECT, doubts.JUMP)
    step = usual / USUAL_STEPS
    learned = np.where(step < change, step * np.where(large, HASTE, LEARNING), step / LEARNING)
    # a value that stays as it is says nothing of how large a change is usual
    tested.sensors.write(state.arrays["step"], np.where(change > 0, learned, step))


def _relations(tested: Tested) -> None:
    """Look at what has passed so far; a broken law flags the metrics that it marks."""
    stream = tested.state.stream
    if not stream.relations:
        return
    place = {name: m for m, name in enumerate(stream.metric_names)}
    passed = np.where(tested.flags == FLAG_PASS, tested.values, np.nan)
    columns = {name: passed[:, m] for name, m in place.items()}
    columns |= {name: tested.sensors.read(own) for name, own in tested.state.attributes.items()}
    for relation in stream.relations:
        broken = _broken(relation, tested, columns)
        if broken.any():
            hit = np.zeros(tested.values.shape, bool)
            for name in relation.marks:
                hit[:, place[name]] = broken & ~np.isnan(passed[:, place[name]])
            tested.mark(relation.name, hit, relation.flag, doubts.RELATION)


def _broken(relation: Relation, tested: Tested, columns: dict[str, np.ndarray]) -> np.ndarray:
    def by(rows: slice) -> np.ndarray:
        return relation.broken({name: columns[name][rows] for name in relation.of})

    given = (tested.sensors.slots, tested.times, tested.out)
    return elementwise(relation.name, by, False, *given)
