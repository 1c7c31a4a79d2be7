"""Fit what a member needs to know: one coefficient for *damped*, a ridge on what it leaves over."""

from dataclasses import dataclass

import numpy as np

from catalog.base import Floats
from forecasts.core.features import Known, at, days_back, features, profile

FEW_ROWS = 100
"""With fewer known targets a ridge learns accidents: its coefficients are zero."""


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients per series and lead ``[series, leads(, features)]``, made at ``trained`` steps.

    ``low`` and ``high`` ``[series]`` bound every member: what was seen, one range more either way.
    """

    trained: int
    phi: Floats
    centre: Floats
    scale: Floats
    weights: Floats
    bias: Floats
    low: Floats
    high: Floats


def train(known: Known, until: int) -> Model:
    """Fit all series and leads on targets before step ``until``; nothing later is read."""
    spec = known.spec
    first = max(spec.day, until - spec.train_days * spec.day)
    parts = []
    for index, lead in enumerate(spec.leads):
        origins = np.arange(first, until - lead, spec.stride)
        parts.append(_fit(known, origins, lead, index))
    phi, centre, scale, weights, bias = (np.stack(p, axis=1) for p in zip(*parts, strict=True))
    low, high = _bounds(known.truth[:, max(0, first - spec.week) : until])
    return Model(until, phi, centre, scale, weights, bias, low, high)


def damped(known: Known, origins: np.ndarray, lead: int) -> tuple[Floats, Floats]:
    """Return the profile at the target, and the anomaly at the origin: ``[series, origins]``."""
    ahead = profile(known, origins + lead, days_back(known.spec, lead))
    return ahead, at(known.values, origins) - profile(known, origins, 1)


def _fit(
    known: Known, origins: np.ndarray, lead: int, index: int
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    ahead, anomaly = damped(known, origins, lead)
    truth = at(known.truth, origins + lead)
    good = np.isfinite(truth) & np.isfinite(ahead) & np.isfinite(anomaly)
    phi = _damping(np.where(good, anomaly, 0.0), np.where(good, truth - ahead, 0.0))
    rest = truth - ahead - phi[:, None] * anomaly
    rows = features(known, origins, lead, index)
    good &= np.isfinite(rest)
    return phi, *_ridge(rows, rest, good, known.spec.penalty)


def _damping(anomaly: Floats, rest: Floats) -> Floats:
    """Return the regression through zero of what came on what was, within 0 and 1."""
    power = (anomaly * anomaly).sum(axis=1)
    slope = (anomaly * rest).sum(axis=1) / np.where(power > 0, power, 1.0)
    return np.clip(slope, 0.0, 1.0)


def _ridge(
    rows: Floats, rest: Floats, good: np.ndarray, penalty: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Solve one ridge per series on standardised features; gaps weigh nothing."""
    weigh = good[:, :, None] & np.isfinite(rows)
    rows = np.where(weigh, rows, 0.0)
    count = np.maximum(weigh.sum(axis=1), 1)
    centre = rows.sum(axis=1) / count
    spread = np.where(weigh, rows - centre[:, None, :], 0.0)
    scale = np.sqrt((spread * spread).sum(axis=1) / count)
    scale = np.where(scale > 1e-9, scale, np.inf)
    spread /= scale[:, None, :]
    n = good.sum(axis=1)
    bias = np.where(good, rest, 0.0).sum(axis=1) / np.maximum(n, 1)
    target = np.where(good, rest - bias[:, None], 0.0)
    enough = n >= FEW_ROWS
    if not enough.any():  # a young city: there is nothing to solve
        return centre, scale, np.zeros_like(centre), np.zeros(len(n))
    turned = spread.transpose(0, 2, 1)
    gram = turned @ spread
    gram += (penalty * np.maximum(n, 1))[:, None, None] * np.eye(rows.shape[2])
    weights = np.linalg.solve(gram, turned @ target[:, :, None])[:, :, 0]
    return centre, scale, np.where(enough[:, None], weights, 0.0), np.where(enough, bias, 0.0)


def _bounds(values: Floats) -> tuple[Floats, Floats]:
    blank = ~np.isfinite(values)
    low = np.where(blank, np.inf, values).min(axis=1)
    high = np.where(blank, -np.inf, values).max(axis=1)
    with np.errstate(invalid="ignore"):
        span = high - low
    return low - span, high + span
