"""Real-time quality control after IOOS QARTOD: gross range, rate, flat line, spike, relations."""

import numpy as np

from catalog.contracts import FLAG_FAIL, FLAG_MISSING, FLAG_PASS, FLAG_SUSPECT
from catalog.model import Relation
from streams.engine.alone import elementwise
from streams.engine.cells import Sensors
from streams.engine.outputs import Outputs
from streams.engine.state import US, State


class Judged:
    """Readings ``[k, M]`` of distinct sensors and the flags they have so far."""

    def __init__(
        self, state: State, sensors: Sensors, times: np.ndarray, values: np.ndarray, out: Outputs
    ) -> None:
        self.state, self.out = state, out
        self.sensors, self.times, self.values = sensors, times, values
        self.flags = np.full(values.shape, FLAG_PASS, np.int8)

    def mark(self, test: str, hit: np.ndarray, flag: int) -> None:
        """Flag these values, and put the flags out."""
        if hit.any():
            self.flags[hit] = np.maximum(self.flags[hit], flag)
            self.tell(test, hit, flag, self.times[:, None], self.values)

    def tell(
        self, test: str, hit: np.ndarray, flag: int, times: np.ndarray, values: np.ndarray
    ) -> None:
        """Put flags out without marking: the values were used already; ``times`` may be ``[k, 1]``
        or one for each metric."""
        names, each = self.state.stream.metric_names, times.shape[1]
        for row, m in zip(*np.nonzero(hit), strict=True):
            place = (int(self.sensors.slots[row]), int(times[row, m % each]), names[m])
            self.out.flag(*place, test, flag, float(values[row, m]))


def judge(
    state: State, sensors: Sensors, times: np.ndarray, values: np.ndarray, out: Outputs
) -> np.ndarray:
    """Return flags ``[k, M]`` of each sensor's newest reading and remember its values.

    Every flag other than pass is also put out, with the test that gave it;
    a spike is told one reading later, for the reading before.
    """
    judged, a = Judged(state, sensors, times, values, out), state.arrays
    p1, p2, p1_at = (sensors.read(a[name]) for name in ("p1", "p2", "p1_at"))
    present = ~np.isnan(values)
    _gross(judged)
    change = np.abs(values - p1)
    if state.limits.rates:
        allowed = state.limits.rate_per_min * (times[:, None] - p1_at) / (60 * US)
        judged.mark("rate", change > allowed, FLAG_SUSPECT)
    if state.limits.flats:
        _flat(judged, change, present)
    if state.limits.spikes:
        jump = np.abs(p1 - (p2 + values) / 2)
        fail = jump > state.limits.spike_fail
        suspect = (jump > state.limits.spike_suspect) & ~fail
        for hit, flag in ((suspect, FLAG_SUSPECT), (fail, FLAG_FAIL)):
            if hit.any():
                judged.tell("spike", hit, flag, p1_at, p1)
    _relations(judged)
    sensors.write(a["p2"], np.where(present, p1, p2))
    sensors.write(a["p1"], np.where(present, values, p1))
    sensors.write(a["p1_at"], np.where(present, times[:, None], p1_at))
    return judged.flags


def judge_late(
    state: State, sensors: Sensors, times: np.ndarray, values: np.ndarray, out: Outputs
) -> np.ndarray:
    """Return flags of readings older than their sensor's newest, by tests of one reading alone."""
    judged = Judged(state, sensors, times, values, out)
    _gross(judged)
    _relations(judged)
    return judged.flags


def _gross(judged: Judged) -> None:
    x, limits = judged.values, judged.state.limits
    judged.flags[np.isnan(x)] = FLAG_MISSING
    fail = (x < limits.fail_low) | (x > limits.fail_high)
    odd = ((x < limits.suspect_low) | (x > limits.suspect_high)) & ~fail
    judged.mark("gross", fail, FLAG_FAIL)
    judged.mark("gross", odd, FLAG_SUSPECT)


def _flat(judged: Judged, change: np.ndarray, present: np.ndarray) -> None:
    limits, sensors, times = judged.state.limits, judged.sensors, judged.times[:, None]
    known = sensors.read(judged.state.arrays["run_at"])
    still = change <= limits.flat_tolerance
    still &= ~(limits.flat_ignores_zero & (judged.values == 0))
    run_at = np.where(still, known, times)
    length = times - run_at
    fail = still & (length >= limits.flat_fail_us)
    suspect = still & (length >= limits.flat_suspect_us) & ~fail
    judged.mark("flat", suspect, FLAG_SUSPECT)
    judged.mark("flat", fail, FLAG_FAIL)
    sensors.write(judged.state.arrays["run_at"], np.where(present, run_at, known))


def _relations(judged: Judged) -> None:
    """Look at what has passed so far; a broken law flags the metrics that it marks."""
    stream = judged.state.stream
    if not stream.relations:
        return
    place = {name: m for m, name in enumerate(stream.metric_names)}
    passed = np.where(judged.flags == FLAG_PASS, judged.values, np.nan)
    columns = {name: passed[:, m] for name, m in place.items()}
    columns |= {name: judged.sensors.read(own) for name, own in judged.state.attributes.items()}
    for relation in stream.relations:
        broken = _broken(relation, judged, columns)
        if broken.any():
            hit = np.zeros(judged.values.shape, bool)
            for name in relation.marks:
                hit[:, place[name]] = broken & ~np.isnan(passed[:, place[name]])
            judged.mark(relation.name, hit, relation.flag)


def _broken(relation: Relation, judged: Judged, columns: dict[str, np.ndarray]) -> np.ndarray:
    def by(rows: slice) -> np.ndarray:
        return relation.broken({name: columns[name][rows] for name in relation.of})

    given = (judged.sensors.slots, judged.times, judged.out)
    return elementwise(relation.name, by, False, *given)
