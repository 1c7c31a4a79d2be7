"""Rolling quantities per sensor, from buckets of event time.

What the buckets before the newest one come to is kept beside them, so that a reading usually costs
the same however long the window is.
"""

import numpy as np

from catalog.model import Rolling
from streams.engine.layout import NEVER, Ring
from streams.engine.state import US, State

ZONE_US = 8 * 3600 * US
"""Buckets begin at local midnight (Beijing time)."""
LONG = np.iinfo(np.int64).max


def bucket_of(ring: Ring, times: np.ndarray) -> np.ndarray:
    """Return the number of the bucket that each time lies in."""
    return (times + ZONE_US) // (ring.bucket_s * US)


def add(state: State, ring: Ring, slots: np.ndarray, times: np.ndarray, x: np.ndarray) -> None:
    """Add good values (NaN = none) of distinct sensors to their buckets."""
    at, n, v = (state.arrays[f"b_{part}/{ring.name}"] for part in ("at", "n", "v"))
    bucket = bucket_of(ring, times)
    place = bucket % ring.places
    begins = at[place, slots] < bucket
    if begins.any():
        rows = (place[begins], slots[begins])
        at[rows] = bucket[begins]
        n[rows] = 0
        v[rows] = 0.0
    usable = ~np.isnan(x) & (at[place, slots] == bucket)
    rows, values = (place[usable], slots[usable]), x[usable]
    state.touch(ring.name, place)
    if ring.keeps in ("max", "min"):
        better = np.maximum if ring.keeps == "max" else np.minimum
        v[rows] = np.where(n[rows] == 0, values, better(v[rows], values))
    else:
        v[rows] += 10.0 ** (values / 10.0) if ring.keeps == "energy" else values
    n[rows] += 1


def value(
    state: State, rolling: Rolling, ring: Ring, slots: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Return the rolling quantity at each reading, ``[k]``; NaN where too few buckets count."""
    bucket, need = bucket_of(ring, times), _need(state, rolling, slots)
    total, valid = _before(state, rolling, ring, slots, bucket, need)
    place = bucket % ring.places
    n = state.arrays[f"b_n/{ring.name}"][place, slots]
    here = (state.arrays[f"b_at/{ring.name}"][place, slots] == bucket) & (n >= need)
    v = state.arrays[f"b_v/{ring.name}"][place, slots]
    own = _bucket_value(rolling, ring, n, v)
    valid = valid + here
    if rolling.kind == "change":
        found = own - total
        valid = np.where(here, valid, 0)
    elif rolling.kind in ("max", "min"):
        better = np.maximum if rolling.kind == "max" else np.minimum
        found = np.where(here, better(total, own), total)
    else:
        found = total + np.where(here, own, 0.0)
        if rolling.kind != "sum":
            found = found / np.maximum(valid, 1)
        if rolling.kind == "level":
            found = 10.0 * np.log10(np.maximum(found, np.finfo(float).tiny))
    return np.where(valid >= max(rolling.min_buckets, 1), found, np.nan)


def _need(state: State, rolling: Rolling, slots: np.ndarray) -> np.ndarray:
    """Return how many good values a bucket of each sensor must hold to count."""
    if not rolling.full:
        return np.ones(len(slots), np.int64)
    gap = state.arrays["gap"][slots]
    # of the last two gaps the shorter: one outage or one stray reading changes nothing
    period = np.where(gap == NEVER, LONG, gap).min(axis=1)
    cadence = state.stream.cadence_s * US
    period = np.where(period == LONG, cadence, np.maximum(period, cadence))
    return np.ceil(rolling.full * rolling.bucket_s * US / period).astype(np.int64)


def _before(
    state: State,
    rolling: Rolling,
    ring: Ring,
    slots: np.ndarray,
    bucket: np.ndarray,
    need: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the buckets before each reading's own come to, and how many count."""
    cache = state.caches[rolling.name]
    known = cache.bucket[slots]
    stale = (known != bucket) | (cache.need[slots] != need)
    if stale.any():
        rows = slots[stale]
        at, n, v = (state.arrays[f"b_{part}/{ring.name}"][:, rows].T for part in ("at", "n", "v"))
        total, valid = _combine(rolling, ring, (at, n, v), bucket[stale], need[stale])
        # a late reading's own bucket takes the place of the newest, which it has changed
        cache.bucket[rows], cache.need[rows] = bucket[stale], need[stale]
        cache.total[rows], cache.valid[rows] = total, valid
    return cache.total[slots], cache.valid[slots]


def _combine(
    rolling: Rolling,
    ring: Ring,
    buckets: tuple[np.ndarray, np.ndarray, np.ndarray],
    bucket: np.ndarray,
    need: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    at, n, v = buckets
    first = bucket[:, None] - rolling.buckets
    inside = (at > first) & (at < bucket[:, None]) & (n >= need[:, None])
    values = _bucket_value(rolling, ring, n, v)
    if rolling.kind == "change":
        oldest = np.where(inside, at, LONG).argmin(axis=1)
        total = values[np.arange(len(values)), oldest]
    elif rolling.kind == "max":
        total = np.where(inside, values, -np.inf).max(axis=1)
    elif rolling.kind == "min":
        total = np.where(inside, values, np.inf).min(axis=1)
    else:
        total = np.where(inside, values, 0.0).sum(axis=1)
    return total, inside.sum(axis=1)


def _bucket_value(rolling: Rolling, ring: Ring, n: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the number that each bucket makes of its good values."""
    if ring.keeps in ("max", "min") or rolling.kind == "sum":
        return v
    return v / np.maximum(n, 1)
