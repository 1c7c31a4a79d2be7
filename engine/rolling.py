"""Rolling quantities per sensor, from buckets of event time.

Quantities that differ in their metric alone are computed together, ``[k sensors, q quantities]``.
What the buckets before the newest one come to is kept beside them, so that a reading usually costs
the same however long the window is.
"""

from collections.abc import Mapping

import numpy as np

from catalog.model import Rolling
from catalog.site import offset_us
from engine.cells import Cells, Sensors
from engine.layout import NEVER, Group, Ring
from engine.state import US, Cache, State

LONG = np.iinfo(np.int64).max
Place = tuple[np.ndarray, Cells]
"""Of some readings: the number of the bucket that each lies in, and where it is kept."""
Buckets = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of some sensors: bucket numbers ``[k, b]``, good values and what they add up to ``[k, b, q]``."""


def roll(
    state: State, sensors: Sensors, times: np.ndarray, columns: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Add one reading of each sensor, its good values in ``columns`` (NaN = none).

    Return every rolling quantity at these readings by name.
    """
    places: dict[str, Place] = {}
    for name, ring in state.rings.items():
        bucket = (times + offset_us()) // (ring.bucket_s * US)
        places[name] = bucket, Cells(sensors, bucket % ring.places)
        _add(state, ring, places[name], np.column_stack([columns[of] for of in ring.of]))
    period = _period(state, sensors) if any(g.like.full for g in state.groups) else None
    found: dict[str, np.ndarray] = {}
    for group, cache in zip(state.groups, state.caches, strict=True):
        values = _value(state, group, cache, places[group.ring.name], period)
        found |= {name: values[:, place] for place, name in enumerate(group.names)}
    return found


def peek(
    state: State, sensors: Sensors, times: np.ndarray, columns: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return every rolling quantity as if this reading of each sensor were added; it is not."""
    kept: list[tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]] = []
    for name, ring in state.rings.items():
        at = ((times + offset_us()) // (ring.bucket_s * US) % ring.places, sensors.slots)
        arrays = (state.arrays[f"b_{part}/{name}"] for part in ("at", "n", "v"))
        kept += [(array, at, array[at].copy()) for array in arrays]
    found = roll(state, sensors, times, columns)
    for array, at, known in kept:
        array[at] = known
    for cache in state.caches:
        cache.bucket[sensors.slots] = NEVER
    return found


def _add(state: State, ring: Ring, place: Place, x: np.ndarray) -> None:
    """Add values ``[k, m]`` of distinct sensors to their buckets."""
    at, n, v = (state.arrays[f"b_{part}/{ring.name}"] for part in ("at", "n", "v"))
    bucket, cells = place
    held = cells.read(at)
    begins, here = held < bucket, held <= bucket
    if begins.any():
        fresh = (cells.place[begins], cells.sensors.slots[begins])
        at[fresh] = bucket[begins]
        n[fresh] = 0
        v[fresh] = 0.0
    state.touch(ring.name, cells.place)
    usable = ~np.isnan(x) & here[:, None]
    if ring.keeps in ("max", "min"):
        better = np.maximum if ring.keeps == "max" else np.minimum
        cells.replace(v, np.where(cells.read(n) == 0, x, better(cells.read(v), x)), usable)
    else:
        x = 10.0 ** (x / 10.0) if ring.keeps == "energy" else x
        cells.change(v, np.add, np.where(usable, x, 0.0))
    cells.change(n, np.add, usable)


def _period(state: State, sensors: Sensors) -> np.ndarray:
    """Return how often each sensor reports, µs: of the last two gaps the shorter, so that one
    outage or one stray reading changes nothing; not below the cadence."""
    gap, cadence = sensors.read(state.arrays["gap"]), state.stream.cadence_s * US
    gap = np.where(gap == NEVER, LONG, gap)
    period = np.minimum(gap[:, 0], gap[:, 1])
    return np.where(period == LONG, cadence, np.maximum(period, cadence))


def _validity(rolling: Rolling, period: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return how many good values a bucket of each sensor must hold to count, and how many of its
    buckets must count; None where one value and ``min_buckets`` do."""
    if period is None or not rolling.full:
        return None
    bucket_us = rolling.bucket_s * US
    need = np.ceil(rolling.full * bucket_us / period).astype(np.int64)
    # a sensor that reports less often than once a bucket leaves some of them empty
    return need, np.ceil(rolling.min_buckets * bucket_us / np.maximum(period, bucket_us))


def _value(
    state: State, group: Group, cache: Cache, place: Place, period: np.ndarray | None
) -> np.ndarray:
    """Return a group's quantities at each reading, ``[k, q]``; NaN where too few buckets count."""
    rolling, ring = group.like, group.ring
    bucket, cells = place
    one, few = np.ones(len(bucket), np.int64), np.full(len(bucket), rolling.min_buckets)
    need, required = _validity(rolling, period) or (one, few)
    total, valid = _before(state, group, cache, cells.sensors, bucket, need)
    at, n, v = (cells.read(state.arrays[f"b_{part}/{ring.name}"]) for part in ("at", "n", "v"))
    n, v = n[:, group.columns], v[:, group.columns]
    here = (at == bucket)[:, None] & (n >= need[:, None])
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
    return np.where(valid >= np.maximum(required, 1)[:, None], found, np.nan)


def _before(
    state: State,
    group: Group,
    cache: Cache,
    sensors: Sensors,
    bucket: np.ndarray,
    need: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the buckets before each reading's own come to, and how many count."""
    stale = (sensors.read(cache.bucket) != bucket) | (sensors.read(cache.need) != need)
    if stale.any():
        rows, name = sensors.slots[stale], group.ring.name
        at, n, v = (state.arrays[f"b_{part}/{name}"][:, rows] for part in ("at", "n", "v"))
        n, v = (a[..., group.columns].swapaxes(0, 1) for a in (n, v))
        total, valid = _combine(group, (at.T, n, v), bucket[stale], need[stale])
        # a late reading's own bucket takes the place of the newest, which it has changed
        cache.bucket[rows], cache.need[rows] = bucket[stale], need[stale]
        cache.total[rows], cache.valid[rows] = total, valid
    return sensors.read(cache.total), sensors.read(cache.valid)


def _combine(
    group: Group, buckets: Buckets, bucket: np.ndarray, need: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    rolling, (at, n, v) = group.like, buckets
    first = bucket[:, None] - rolling.buckets
    within = (at > first) & (at < bucket[:, None])
    inside = within[..., None] & (n >= need[:, None, None])
    values = _bucket_value(rolling, group.ring, n, v)
    if rolling.kind == "change":
        oldest = np.where(inside, at[..., None], LONG).argmin(axis=1)
        total = np.take_along_axis(values, oldest[:, None], axis=1)[:, 0]
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
