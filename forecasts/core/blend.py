"""Weights by live error, and bands from the live errors of the same lead and time of day."""

import numpy as np

from catalog.base import Floats
from forecasts.core.spec import (
    BLEND,
    DAMPED,
    DAY_S,
    MEMBERS,
    PERSISTENCE,
    QUANTILES,
    SEASONAL_DAY,
    Spec,
)

FEW_ERRORS = 24
"""Known errors that a member needs before its own record weighs it."""
POWER_NEAR, POWER_FAR, NEAR_S = 6.0, 4.0, 12 * 3600
"""Weights fall with this power of the error; further ahead errors tell less of who is better."""
GUARD_POWER = 24.0
GUARD_MARGIN = 1.03
"""A naive forecast takes over where the blend's error is this much larger, step by step."""
LEAST_SHARE = 1e-6
SLOT_LEAST = 40
"""With fewer errors of this time of day those of all times count."""
MOST_CHASE = 0.1
CHASE_DAYS = 7.0
CHASE_PRIOR = 24.0


def weights(errors: Floats, ages: Floats, spec: Spec) -> Floats:
    """Return weights of the members for the blend ``[series, leads, members]``, adding to one.

    ``errors`` ``[series, kept, leads, members]`` are live ones, NaN = not known; ``ages``
    ``[kept]`` their origins' age in days. A member without a record weighs nothing; where none has
    one the damped anomaly stands, or what there is.
    """
    mean = _mean_error(errors, ages, spec)
    mean[..., BLEND] = np.inf
    far = np.asarray(spec.leads) * spec.step_s > NEAR_S
    power = np.where(far, POWER_FAR, POWER_NEAR)[None, :, None]
    first = np.zeros(len(MEMBERS))
    first[DAMPED] = 1.0
    return _shares(mean, power, first)


def guards(errors: Floats, ages: Floats, spec: Spec) -> Floats:
    """Return weights of blend, persistence and seasonal day for what is issued, shaped alike.

    A blend that was worse than a naive forecast of late gives way to it.
    """
    mean = _mean_error(errors, ages, spec)
    held = np.full_like(mean, np.inf)
    held[..., BLEND] = mean[..., BLEND]
    for naive in (PERSISTENCE, SEASONAL_DAY):
        held[..., naive] = mean[..., naive] * GUARD_MARGIN
    first = np.zeros(len(MEMBERS))
    first[BLEND] = 1.0
    shares = _shares(held, np.full((1, 1, 1), GUARD_POWER), first)
    return np.where(np.isinf(held[..., BLEND, None]), first, shares)


def _mean_error(errors: Floats, ages: Floats, spec: Spec) -> Floats:
    """Return faded mean absolute errors; infinite with too few."""
    fade = np.exp(-ages / spec.memory_days)[None, :, None, None]
    known = np.isfinite(errors)
    total = np.where(known, fade, 0.0).sum(axis=1)
    mean = np.where(known, np.abs(errors) * fade, 0.0).sum(axis=1) / np.maximum(total, 1e-300)
    return np.where(known.sum(axis=1) < FEW_ERRORS, np.inf, mean)


def _shares(mean: Floats, power: Floats, first: Floats) -> Floats:
    best = mean.min(axis=2, keepdims=True)
    none = np.isinf(best)
    least = np.where(none, 1.0, np.maximum(best, 1e-12))
    raw = (least / np.maximum(mean, least)) ** power
    raw = np.where(raw < LEAST_SHARE, 0.0, raw)
    return np.where(none, first, raw / np.maximum(raw.sum(axis=2, keepdims=True), 1e-300))


def blended(made: Floats, weigh: Floats) -> Floats:
    """Return the weighted mean of members ``[series, leads, members]``; NaN ones are left out.

    Where none of those that weigh is there, the plain mean of the others stands.
    """
    there = np.isfinite(made)
    used = np.where(there, weigh, 0.0)
    lone = used.sum(axis=2, keepdims=True) <= 0
    used = np.where(lone, there.astype(np.float64), used)
    total = used.sum(axis=2)
    value = (np.where(there, made, 0.0) * used).sum(axis=2)
    return np.where(total > 0, value / np.where(total > 0, total, 1.0), np.nan)


def near(slots: np.ndarray, target: np.ndarray, spec: Spec) -> np.ndarray:
    """Tell which errors lie within ``slot_hours`` of the target's time of day: ``[kept, leads]``.

    ``slots`` ``[kept, leads]`` and ``target`` ``[leads]`` are steps since midnight.
    """
    apart = np.abs(slots - target[None, :])
    apart = np.minimum(apart, spec.day - apart)
    return apart * spec.step_s <= spec.slot_hours * (DAY_S / 24)


def chase(inside: Floats, ages: Floats) -> Floats:
    """Return by how much the levels of the bands are moved outwards, ``[series, leads]``.

    ``inside`` ``[series, kept, leads]``: 1 where the truth lay in the issued band of 80 %, 0 where
    it did not, NaN = not known. Bands that held too seldom of late are widened, and the other way
    round (adaptive conformal inference, Gibbs & Candès 2021, over a window in place of a step).
    """
    known = np.isfinite(inside)
    fade = np.where(known, np.exp(-ages / CHASE_DAYS)[None, :, None], 0.0)
    promised = QUANTILES[3] - QUANTILES[1]
    held = (np.where(known, inside, 0.0) * fade).sum(axis=1) + promised * CHASE_PRIOR
    share = held / (fade.sum(axis=1) + CHASE_PRIOR)
    return np.clip(promised - share, -MOST_CHASE, MOST_CHASE)


def quantiles(errors: Floats, ages: Floats, close: np.ndarray, widen: Floats, spec: Spec) -> Floats:
    """Return quantiles of errors ``[series, leads, 5]``; NaN with fewer than 40 known.

    ``errors`` ``[series, kept, leads]``; ``close`` ``[kept, leads]``; ``widen`` ``[series, leads]``
    as `chase` returns it. Errors weigh by age; levels are ranks among the errors and the one to
    come, so that bands hold as often as promised however few there are (split conformal, Vovk
    2005; weights after Barber et al. 2023).
    """
    if errors.shape[1] < SLOT_LEAST:
        return np.full((errors.shape[0], errors.shape[2], len(QUANTILES)), np.nan)
    known = np.isfinite(errors)
    here = known & close[None]
    used = np.where((here.sum(axis=1) >= SLOT_LEAST)[:, None, :], here, known)
    weigh = np.where(used, np.exp(-ages / spec.fade_days)[None, :, None], 0.0)
    order = np.argsort(np.where(used, errors, np.inf), axis=1, kind="stable")
    ranked = np.take_along_axis(errors, order, axis=1)
    summed = np.cumsum(np.take_along_axis(weigh, order, axis=1), axis=1)
    levels = [np.clip(q + widen * (q - 0.5), 0.003, 0.997) for q in QUANTILES]
    found = np.stack([_at_level(ranked, summed, level) for level in levels], axis=2)
    found[used.sum(axis=1) < SLOT_LEAST] = np.nan
    return found


def _at_level(ranked: Floats, summed: Floats, level: Floats) -> Floats:
    """Return the weighted quantile ``[series, leads]`` of errors that rise along axis 1.

    The error to come weighs as much as the newest: position i is at ``summed[i] / (total + 1)``,
    with straight lines between; for equal weights the unbiased rank i / (n + 1).
    """
    total = summed[:, -1, :]
    wanted = (level * (total + 1.0))[:, None, :]
    last = (summed < total[:, None, :] - 1e-9).sum(axis=1)
    place = np.minimum((summed < wanted).sum(axis=1), last)[:, None, :]
    before = np.maximum(place - 1, 0)
    low, high = (np.take_along_axis(ranked, p, axis=1)[:, 0] for p in (before, place))
    left, right = (np.take_along_axis(summed, p, axis=1)[:, 0] for p in (before, place))
    gap = right - left
    share = np.where(gap > 0, (wanted[:, 0] - left) / np.where(gap > 0, gap, 1.0), 1.0)
    return low + np.clip(share, 0.0, 1.0) * (high - low)
