"""Rolling quantities of one sensor's readings in order of time, for the forecast of alerts."""

import numpy as np

from catalog.model import Rolling
from simulators.core.chance import Floats

ZONE_S = 8 * 3600.0


def rolled(rolling: Rolling, values: Floats, at_s: Floats) -> Floats:
    """Return the quantity at each reading (NaN = no good value, or too few buckets that count)."""
    if not len(values):
        return values
    bucket = np.floor((at_s + ZONE_S) / rolling.bucket_s)
    numbers, group = np.unique(bucket, return_inverse=True)
    own, n = _so_far(rolling, values, group)
    last = np.append(np.flatnonzero(np.diff(group)), len(group) - 1)
    period = float(np.median(np.diff(at_s))) if len(at_s) > 1 else float(rolling.bucket_s)
    need = max(1.0, np.ceil(rolling.full * rolling.bucket_s / period))
    before = np.array([_before(rolling, numbers, own[last], n[last], need, g) for g in numbers])
    total, valid = before[group, 0], before[group, 1]
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
    return np.where(count >= max(rolling.min_buckets, 1), found, np.nan)


def _so_far(rolling: Rolling, values: Floats, group: np.ndarray) -> tuple[Floats, Floats]:
    """Return what each reading's bucket makes of its good values up to it, and how many."""
    known = ~np.isnan(values)
    added = 10.0 ** (values / 10.0) if rolling.kind == "level" else values
    own, count = np.full(len(values), np.nan), np.zeros(len(values))
    inner = rolling.each or rolling.kind
    for start, end in zip(*_edges(group), strict=True):
        part, good = added[start:end], known[start:end]
        n = np.cumsum(good)
        if inner in ("max", "min"):
            own[start:end] = (np.fmax if inner == "max" else np.fmin).accumulate(part)
        else:
            total = np.cumsum(np.where(good, part, 0.0))
            own[start:end] = total if inner == "sum" else total / np.maximum(n, 1)
        count[start:end] = n
    return own, count


def _edges(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inner = np.flatnonzero(np.diff(group)) + 1
    return np.append(0, inner), np.append(inner, len(group))


def _before(
    rolling: Rolling, numbers: Floats, own: Floats, n: Floats, need: float, number: float
) -> tuple[float, float]:
    """Return what the buckets before ``number`` make (a mean for means), and how many count."""
    inside = (numbers > number - rolling.buckets) & (numbers < number) & (n >= need)
    if not inside.any():
        return np.nan, 0.0
    values = own[inside]
    by_kind = {"sum": np.sum, "max": np.max, "min": np.min, "change": lambda x: x[0]}
    return float(by_kind.get(rolling.kind, np.mean)(values)), float(inside.sum())
