"""Rolling quantities of one sensor's readings in order of time, for the forecast of alerts."""

from itertools import pairwise

import numpy as np

from catalog.model import Rolling
from catalog.site import offset_s
from simulators.core.chance import Floats


def rolled(rolling: Rolling, values: Floats, at_s: Floats) -> Floats:
    """Return the quantity at each reading (NaN = no good value, or too few buckets that count)."""
    if not len(values):
        return values
    bucket = np.floor((at_s + offset_s()) / rolling.bucket_s)
    numbers, group = np.unique(bucket, return_inverse=True)
    own, n = _so_far(rolling, values, group)
    last = np.append(np.flatnonzero(np.diff(group)), len(group) - 1)
    period = float(np.median(np.diff(at_s))) if len(at_s) > 1 else float(rolling.bucket_s)
    need = max(1.0, np.ceil(rolling.full * rolling.bucket_s / period))
    seldom = rolling.bucket_s / max(period, rolling.bucket_s) if rolling.full else 1.0
    required = max(1.0, np.ceil(rolling.min_buckets * seldom))
    total, valid = (
        x[group] for x in _before(rolling, numbers, own[last], np.where(n[last] >= need, 1.0, 0.0))
    )
    here = n >= need
    count = valid + here
    if rolling.kind == "change":
        found, count = own - total, np.where(here, count, 0)
    elif rolling.kind in ("max", "min"):
        better = np.fmax if rolling.kind == "max" else np.fmin
        found = better(total, np.where(here, own, np.nan))
    else:
        weight = 1.0 if rolling.kind == "sum" else valid
        found = np.nan_to_num(total) * weight + np.where(here, own, 0.0)
        found = found if rolling.kind == "sum" else found / np.maximum(count, 1)
    if rolling.kind == "level":
        found = 10.0 * np.log10(np.maximum(found, 1e-300))
    return np.where(count >= required, found, np.nan)


def _so_far(rolling: Rolling, values: Floats, group: np.ndarray) -> tuple[Floats, Floats]:
    """Return what each reading's bucket makes of its good values up to it, and how many."""
    known = ~np.isnan(values)
    added = 10.0 ** (values / 10.0) if rolling.kind == "level" else values
    first = np.append(0, np.flatnonzero(np.diff(group)) + 1)[group]
    count = _summed(known.astype(float), first, np.arange(len(values)) + 1)
    inner = rolling.each or rolling.kind
    if inner in ("max", "min"):
        best = np.fmax if inner == "max" else np.fmin
        edges = np.append(np.unique(first), len(values))
        parts = [best.accumulate(added[a:b]) for a, b in pairwise(edges)]
        return np.concatenate(parts), count
    total = _summed(np.where(known, added, 0.0), first, np.arange(len(values)) + 1)
    return (total if inner == "sum" else total / np.maximum(count, 1)), count


def _before(
    rolling: Rolling, numbers: Floats, own: Floats, counts: Floats
) -> tuple[Floats, Floats]:
    """Return what the buckets before each one make (a mean for means), and how many count."""
    here = np.arange(len(numbers))
    oldest = np.searchsorted(numbers, numbers - rolling.buckets, side="right")
    valid = _summed(counts, oldest, here)
    if rolling.kind in ("sum", "mean", "level"):
        total = _summed(np.where(counts > 0, own, 0.0), oldest, here)
        weight = 1.0 if rolling.kind == "sum" else np.maximum(valid, 1)
        return np.where(valid > 0, total / weight, np.nan), valid
    usable = np.where(counts > 0, own, np.nan)
    spans = [usable[a:b] for a, b in zip(oldest, here, strict=True)]
    return np.array([_one(rolling, x[~np.isnan(x)]) for x in spans]), valid


def _one(rolling: Rolling, values: Floats) -> float:
    by_kind = {"max": np.max, "min": np.min, "change": lambda x: x[0]}
    return float(by_kind[rolling.kind](values)) if len(values) else np.nan


def _summed(values: Floats, start: np.ndarray, end: np.ndarray) -> Floats:
    """Return the sum of each ``values[start:end]``."""
    sums = np.append(0.0, np.cumsum(values))
    return sums[end] - sums[start]
