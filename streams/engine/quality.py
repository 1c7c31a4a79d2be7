"""Real-time quality control after IOOS QARTOD: gross range, rate of change, flat line, spike."""

import numpy as np

from catalog.contracts import FLAG_FAIL, FLAG_MISSING, FLAG_PASS, FLAG_SUSPECT
from catalog.model import Metric
from streams.engine.outputs import Outputs
from streams.engine.state import US, State


def judge(
    state: State, slots: np.ndarray, times: np.ndarray, values: np.ndarray, out: Outputs
) -> np.ndarray:
    """Return flags ``[k, M]`` of each sensor's newest reading and remember its values.

    ``slots`` are distinct. Every flag other than pass is also put out, with the test that gave it;
    a spike is told one reading later, for the reading before.
    """
    flags = np.full(values.shape, FLAG_PASS, np.int8)
    for m, metric in enumerate(state.stream.metrics):
        _judge_metric(state, m, metric, slots, times, values[:, m], flags[:, m], out)
    return flags


def judge_late(
    state: State, slots: np.ndarray, times: np.ndarray, values: np.ndarray, out: Outputs
) -> np.ndarray:
    """Return flags of readings older than their sensor's newest: gross range only."""
    flags = np.full(values.shape, FLAG_PASS, np.int8)
    for m, metric in enumerate(state.stream.metrics):
        _gross(metric, slots, times, values[:, m], flags[:, m], out)
    return flags


def _judge_metric(
    state: State,
    m: int,
    metric: Metric,
    slots: np.ndarray,
    times: np.ndarray,
    x: np.ndarray,
    flags: np.ndarray,
    out: Outputs,
) -> None:
    a = state.arrays
    p1, p2, p1_at = a["p1"][slots, m], a["p2"][slots, m], a["p1_at"][slots, m]
    present = ~np.isnan(x)
    _gross(metric, slots, times, x, flags, out)
    change = np.abs(x - p1)
    if metric.rate_per_min is not None:
        fast = change > metric.rate_per_min * (times - p1_at) / (60 * US)
        _mark(metric, "rate", fast, FLAG_SUSPECT, slots, times, x, flags, out)
    if metric.flat is not None:
        still = change <= metric.flat.tolerance
        if metric.flat.ignore_zero:
            still &= x != 0
        run_at = np.where(still, a["run_at"][slots, m], times)
        length = times - run_at
        suspect = still & (length >= metric.flat.suspect_s * US)
        fail = still & (length >= metric.flat.fail_s * US)
        _mark(metric, "flat", suspect & ~fail, FLAG_SUSPECT, slots, times, x, flags, out)
        _mark(metric, "flat", fail, FLAG_FAIL, slots, times, x, flags, out)
        a["run_at"][slots[present], m] = run_at[present]
    if metric.spike is not None:
        jump = np.abs(p1 - (p2 + x) / 2)
        unused = np.ones_like(flags)  # the reading before was used already; only its flag is new
        fail = jump > metric.spike[1]
        suspect = (jump > metric.spike[0]) & ~fail
        _mark(metric, "spike", suspect, FLAG_SUSPECT, slots, p1_at, p1, unused, out)
        _mark(metric, "spike", fail, FLAG_FAIL, slots, p1_at, p1, unused, out)
    rows = slots[present]
    a["p2"][rows, m] = p1[present]
    a["p1"][rows, m] = x[present]
    a["p1_at"][rows, m] = times[present]


def _gross(
    metric: Metric,
    slots: np.ndarray,
    times: np.ndarray,
    x: np.ndarray,
    flags: np.ndarray,
    out: Outputs,
) -> None:
    flags[np.isnan(x)] = FLAG_MISSING
    low, high = metric.fail_span
    fail = (x < low) | (x > high)
    _mark(metric, "gross", fail, FLAG_FAIL, slots, times, x, flags, out)
    if metric.suspect_span is not None:
        low, high = metric.suspect_span
        odd = ((x < low) | (x > high)) & ~fail
        _mark(metric, "gross", odd, FLAG_SUSPECT, slots, times, x, flags, out)


def _mark(
    metric: Metric,
    test: str,
    hit: np.ndarray,
    flag: int,
    slots: np.ndarray,
    times: np.ndarray,
    x: np.ndarray,
    flags: np.ndarray,
    out: Outputs,
) -> None:
    if not hit.any():
        return
    flags[hit] = np.maximum(flags[hit], flag)
    for row in np.flatnonzero(hit):
        out.flag(int(slots[row]), int(times[row]), metric.name, test, flag, float(x[row]))
