"""Quality control of the reference: one sensor, one metric, one value at a time."""

from dataclasses import dataclass

from catalog.contracts import FLAG_FAIL, FLAG_SUSPECT
from catalog.model import Metric

US = 1_000_000

Finding = tuple[str, int, int, float]
"""(test, flag, the judged reading's time in epoch µs, its value)."""


@dataclass
class Trace:
    """What one metric of one sensor has shown: its last two values, and since when it is still."""

    value: float | None = None
    at: int = 0
    before: float | None = None
    still_since: int = 0


def gross(metric: Metric, x: float) -> int | None:
    """Return the flag of the gross range test, None when it passes."""
    low, high = metric.fail_span
    if x < low or x > high:
        return FLAG_FAIL
    if (
        metric.suspect_span is not None
        and not metric.suspect_span[0] <= x <= metric.suspect_span[1]
    ):
        return FLAG_SUSPECT
    return None


def judge_late(metric: Metric, at: int, x: float) -> list[Finding]:
    """Return the findings on a value older than its sensor's newest: gross range only."""
    flag = gross(metric, x)
    return [] if flag is None else [("gross", flag, at, x)]


def judge(metric: Metric, trace: Trace, at: int, x: float) -> list[Finding]:
    """Return the findings that a newest value gives, and remember it.

    ``gross``, ``rate`` and ``flat`` are on this value; ``spike`` is on the value before.
    """
    found = judge_late(metric, at, x)
    last = trace.value
    still = False
    if last is not None:
        change = abs(x - last)
        if metric.rate_per_min is not None:
            allowed = metric.rate_per_min * (at - trace.at) / (60 * US)
            if change > allowed:
                found.append(("rate", FLAG_SUSPECT, at, x))
        if metric.flat is not None:
            still = change <= metric.flat.tolerance and not (metric.flat.ignore_zero and x == 0)
        if metric.spike is not None and trace.before is not None:
            jump = abs(last - (trace.before + x) / 2)
            if jump > metric.spike[1]:
                found.append(("spike", FLAG_FAIL, trace.at, last))
            elif jump > metric.spike[0]:
                found.append(("spike", FLAG_SUSPECT, trace.at, last))
    if not still:
        trace.still_since = at
    elif metric.flat is not None:
        length = at - trace.still_since
        if length >= metric.flat.fail_s * US:
            found.append(("flat", FLAG_FAIL, at, x))
        elif length >= metric.flat.suspect_s * US:
            found.append(("flat", FLAG_SUSPECT, at, x))
    trace.before, trace.value, trace.at = last, x, at
    return found
