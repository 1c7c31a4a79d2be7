"""Quality limits of all metrics of a stream as arrays ``[M]``; infinite where none is declared."""

from dataclasses import dataclass

import numpy as np

from catalog.model import AbsenceRule, FlatLine, SensorAttribute, Stream, ThresholdRule, UnusualRule
from engine.cells import Index, compact

US = 1_000_000
FIRST_SHARE = 80
STILL = 12
BEAT_S = 300
"""Values of so many seconds are looked at as one by ``unusual`` rules."""
UNHEARD_BEATS = 3
LEAST_STEPS, LEAST_RATIO = 0.3, 0.01


@dataclass(frozen=True, slots=True)
class Limits:
    """Spans, spikes and rates in each metric's unit; durations in µs."""

    fail_low: np.ndarray
    fail_high: np.ndarray
    suspect_low: np.ndarray
    suspect_high: np.ndarray
    spike_suspect: np.ndarray
    spike_fail: np.ndarray
    rate_per_min: np.ndarray
    first_step: np.ndarray
    """What is taken for a usual change until the sensor has shown its own."""
    flat_suspect_us: np.ndarray
    flat_fail_us: np.ndarray
    flat_least: np.ndarray
    flat_tolerance: np.ndarray
    flat_ignores_zero: np.ndarray
    rates: bool
    spikes: bool
    flats: bool
    named: np.ndarray
    """Metrics whose values are names: whole numbers, or they mean nothing."""
    counters: np.ndarray
    """Metrics that rise, and roll over at ``fail_high``."""
    any_named: bool
    any_counter: bool

    @classmethod
    def of(cls, stream: Stream) -> "Limits":
        """Return the limits of a stream's metrics, in column order."""
        metrics, inf = stream.metrics, float("inf")
        suspect = [m.suspect_span or (-inf, inf) for m in metrics]
        spike = [m.spike or (inf, inf) for m in metrics]
        flats = [m.flat for m in metrics]
        rate = [inf if m.rate_per_min is None else m.rate_per_min for m in metrics]
        change = [
            m.spike[0] if m.spike else r * stream.cadence_s / 60
            for m, r in zip(metrics, rate, strict=True)
        ]
        return cls(
            fail_low=np.array([m.fail_span[0] for m in metrics], float),
            fail_high=np.array([m.fail_span[1] for m in metrics], float),
            suspect_low=np.array([low for low, _ in suspect], float),
            suspect_high=np.array([high for _, high in suspect], float),
            spike_suspect=np.array([low for low, _ in spike], float),
            spike_fail=np.array([high for _, high in spike], float),
            rate_per_min=np.array(rate, float),
            first_step=np.array(change, float) / FIRST_SHARE,
            flat_suspect_us=np.array([f.suspect_s * US if f else inf for f in flats], float),
            flat_fail_us=np.array([f.fail_s * US if f else inf for f in flats], float),
            flat_least=np.array([least_still(stream, f) for f in flats], np.int64),
            # no change is as small as -1: a metric without the test is never still
            flat_tolerance=np.array([f.tolerance if f else -1.0 for f in flats], float),
            flat_ignores_zero=np.array([bool(f and f.ignore_zero) for f in flats]),
            rates=any(m.rate_per_min is not None for m in metrics),
            spikes=any(m.spike for m in metrics),
            flats=any(flats),
            named=np.array([m.is_named for m in metrics]),
            counters=np.array([m.kind == "counter" for m in metrics]),
            any_named=any(m.is_named for m in metrics),
            any_counter=any(m.kind == "counter" for m in metrics),
        )


def least_still(stream: Stream, flat: FlatLine | None) -> int:
    """Return how many readings in a row must stand still: as many as the declared time holds at
    the stream's cadence, no more than ``STILL``. A sensor that reports seldom shows less."""
    return min(STILL, int(flat.suspect_s // stream.cadence_s)) if flat else STILL


@dataclass(frozen=True, slots=True)
class Learned:
    """What is learned for ``unusual`` rules, in the order of the axis; arrays ``[U]``."""

    rules: tuple[int, ...]
    """Numbers of the rules in the stream."""
    metrics: Index
    """Places of their metrics."""
    logs: np.ndarray
    roots: np.ndarray
    least: np.ndarray
    """The smallest value whose logarithm is taken: what the metric can show."""
    spread: np.ndarray
    """A spread is taken to be no smaller: what rounding alone makes, or a hundredth."""
    tau_us: np.ndarray
    sign: np.ndarray
    """1 above, -1 below, 0 both."""
    beat_us: int
    unheard_us: int
    """An alert ends when nothing has come for so long after the last beat that said something."""

    @classmethod
    def of(cls, stream: Stream) -> "Learned":
        """Return what a stream's rules say is to be learned."""
        numbers = [n for n, r in enumerate(stream.rules) if isinstance(r, UnusualRule)]
        rules = [r for r in stream.rules if isinstance(r, UnusualRule)]
        names, signs = stream.metric_names, {"above": 1, "below": -1, "both": 0}
        steps = [10.0 ** -stream.quantity(r.metric).decimals for r in rules]
        beat_s = max(BEAT_S, stream.cadence_s)
        silent_s = [r.after_s for r in stream.rules if isinstance(r, AbsenceRule)]
        logs = np.array([r.scale == "log" for r in rules], bool)
        roots = np.array([r.scale == "root" for r in rules], bool)
        return cls(
            rules=tuple(numbers),
            metrics=compact(np.array([names.index(r.metric) for r in rules], np.int64)),
            logs=logs,
            roots=roots,
            least=np.array(steps, float),
            spread=np.where(logs | roots, LEAST_RATIO, LEAST_STEPS * np.array(steps, float)),
            tau_us=np.array([r.window_s * US for r in rules], float),
            sign=np.array([signs[r.direction] for r in rules], np.int64),
            beat_us=beat_s * US,
            unheard_us=max([UNHEARD_BEATS * beat_s, *silent_s]) * US,
        )


def nearest(rule: ThresholdRule) -> float:
    """Return the limit that a value comes to first; infinite, so that every value is past it,
    where a sensor has one of its own."""
    if rule.op == "==":
        return float("nan")  # what is compared by name is past no limit
    above = rule.op.startswith(">")
    own = float("-inf") if above else float("inf")
    limits = [own if isinstance(t.value, SensorAttribute) else t.value for t in rule.thresholds]
    return min(limits) if above else max(limits)
