"""Sliding sums, means and maxima per sensor, from buckets of event time."""

import numpy as np

from catalog.model import Rolling
from streams.engine.state import US, State


def update(
    state: State, rolling: Rolling, slots: np.ndarray, times: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """Add good values (NaN = none) and return the rolling value at each reading, ``[k]``."""
    a = state.arrays
    at, n, v = (a[f"b_{rolling.name}_{part}"] for part in ("at", "n", "v"))
    bucket = times // (rolling.bucket_s * US)
    place = bucket % at.shape[1]
    begins = at[slots, place] < bucket
    rows, places = slots[begins], place[begins]
    at[rows, places] = bucket[begins]
    n[rows, places] = 0
    v[rows, places] = 0.0
    usable = ~np.isnan(x) & (at[slots, place] == bucket)
    rows, places, values = slots[usable], place[usable], x[usable]
    if rolling.kind == "max":
        first = n[rows, places] == 0
        v[rows, places] = np.where(first, values, np.maximum(v[rows, places], values))
    else:
        v[rows, places] += values
    n[rows, places] += 1
    return _value(rolling, at[slots], n[slots], v[slots], bucket)


def _value(
    rolling: Rolling, at: np.ndarray, n: np.ndarray, v: np.ndarray, bucket: np.ndarray
) -> np.ndarray:
    count = rolling.window_s // rolling.bucket_s
    inside = (at > bucket[:, None] - count) & (at <= bucket[:, None]) & (n > 0)
    valid = inside.sum(axis=1)
    if rolling.kind == "sum":
        total = np.where(inside, v, 0.0).sum(axis=1)
    elif rolling.kind == "max":
        total = np.where(inside, v, -np.inf).max(axis=1)
    else:
        means = np.where(inside, v / np.maximum(n, 1), 0.0)
        total = means.sum(axis=1) / np.maximum(valid, 1)
    return np.where(valid >= rolling.min_buckets, total, np.nan)
