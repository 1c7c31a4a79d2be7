"""In which directions a group of signals normally moves, and how far off them it is. Numpy only.

Robust principal components of the hour and the hour before (Jackson & Mudholkar 1979, residual
subspace): the worst rows are trimmed before the directions are fixed, and what is normal of the
residual is taken from parts of the history that the directions were *not* learned from. A residual
of the rows learned from looks too small wherever history is short.
"""

from dataclasses import dataclass

import numpy as np

from catalog.base import Floats

LAG = 1
LEARN_ROWS = 7 * 24
"""Hours without which nothing is said."""
VARIANCE, TRIM, PASSES, FOLDS = 0.95, 0.97, 3, 5
SMOOTH = 4.0
"""Hours over which the logarithm of the residual is smoothed."""
CLIP = 8.0
"""A signal counts as no further off than so many of its spreads."""
LEAST_LOG, LEAST_SPREAD = 1e-3, 0.05
MAD_TO_SPREAD = 1.4826
LEAST_SHARE = 0.5
"""Of the signals that an hour must hold, and of the hours that a signal must be there."""
RIDGE = 1e-6

Flags = np.ndarray


@dataclass(frozen=True, slots=True)
class Model:
    """What is normal of a group; ``n`` signals, of which those with scale NaN are left out.

    ``centre`` and ``scale`` ``[n]`` in the signals' units, ``mean`` ``[2m]`` and ``basis``
    ``[k, 2m]`` of the m others scaled, now and an hour before. ``level`` and ``spread`` are of the
    smoothed logarithm of the residual.
    """

    centre: Floats
    scale: Floats
    mean: Floats
    basis: Floats
    level: float
    spread: float
    rows: int

    @property
    def members(self) -> Flags:
        """Tell which signals take part ``[n]``."""
        return np.isfinite(self.scale)


def train(values: Floats, usable: Flags) -> Model | None:
    """Return the model of hours ``[T, n]``; None while there is too little to learn from.

    ``usable`` ``[T]`` leaves out hours under alarm; NaN is a signal that is missing.
    """
    there = np.isfinite(values)
    usable = usable & there.any(axis=1)  # hours before the first value are none that lack signals
    members = _members(values, there, usable)
    usable = usable & enough(there, members)
    if members.sum() < 2 or usable.sum() < LEARN_ROWS:
        return None
    centre, scale = _scales(values[usable], members)
    stacked = _stacked(_scaled(values, centre, scale)[:, members])
    logs = np.full(len(values), np.nan)
    folds = np.cumsum(usable) * FOLDS // (int(usable.sum()) + 1)
    for fold in range(FOLDS):
        part, learned = folds == fold, usable & (folds != fold)
        logs[part] = _logs(_residuals(stacked[part], *_directions(stacked[learned])))
    normal = smoothed(np.where(enough(there, members), logs, np.nan))[usable]
    level = float(np.median(normal))
    spread = MAD_TO_SPREAD * float(np.median(np.abs(normal - level)))
    mean, basis = _directions(stacked[usable])
    return Model(centre, scale, mean, basis, level, max(spread, LEAST_SPREAD), int(usable.sum()))


def residuals(model: Model, values: Floats) -> Floats:
    """Return how far each signal is off what the others say of it, in its spreads ``[T, n]``.

    NaN for a signal that is missing or left out. The first hour is taken for its own past.
    """
    out = np.full(values.shape, np.nan)
    members = model.members
    scaled = _scaled(values, model.centre, model.scale)[:, members]
    out[:, members] = _residuals(_stacked(scaled), model.mean, model.basis)
    return out


def logs_of(model: Model, values: Floats) -> Floats:
    """Return the logarithm of the residual of hours ``[T]``; NaN with too few signals."""
    found = _logs(residuals(model, values)[:, model.members])
    return np.where(enough(np.isfinite(values), model.members), found, np.nan)


def smooth(before: float, log: float) -> float:
    """Return the smoothed logarithm after one more hour; NaN leaves it as it was."""
    if not np.isfinite(log):
        return before
    return log if not np.isfinite(before) else before + (log - before) / SMOOTH


def smoothed(logs: Floats) -> Floats:
    """Return logarithms smoothed hour by hour ``[T]``."""
    out, now = np.empty(len(logs)), float("nan")
    for n, log in enumerate(logs):
        out[n] = now = smooth(now, float(log))
    return out


def spreads_off(model: Model, log: float) -> float:
    """Return how many usual spreads a smoothed logarithm lies above the usual."""
    return (log - model.level) / model.spread


def enough(there: Flags, members: Flags) -> Flags:
    """Tell which hours hold enough of the members ``[T]``."""
    return there[:, members].sum(axis=1) >= LEAST_SHARE * max(1, int(members.sum()))


def _members(values: Floats, there: Flags, usable: Flags) -> Flags:
    """Tell which signals were there often enough, and have moved at all."""
    seen = there[usable]
    often = seen.mean(axis=0) >= LEAST_SHARE if len(seen) else np.zeros(values.shape[1], bool)
    low = np.where(seen, values[usable], np.inf).min(axis=0, initial=np.inf)
    high = np.where(seen, values[usable], -np.inf).max(axis=0, initial=-np.inf)
    return often & (high > low)


def _scales(values: Floats, members: Flags) -> tuple[Floats, Floats]:
    """Return centre and spread of each signal; of its inner 98 %, if it moves within them."""
    centre, scale = np.zeros(len(members)), np.full(len(members), np.nan)
    for n in np.flatnonzero(members):
        known = values[np.isfinite(values[:, n]), n]
        centre[n] = np.median(known)
        inner = np.clip(known, *np.quantile(known, (0.01, 0.99)))
        scale[n] = max(inner.std() or known.std(), _step(known))
    return centre, scale


def _step(known: Floats) -> float:
    """Return the smallest change that a signal shows: its resolution, as far as it was seen."""
    steps = np.diff(np.unique(known))
    return float(steps.min())


def _scaled(values: Floats, centre: Floats, scale: Floats) -> Floats:
    return np.clip((values - centre) / scale, -CLIP, CLIP)


def _stacked(scaled: Floats) -> Floats:
    """Return each hour beside the one before ``[T, 2m]``."""
    parts = [scaled]
    for lag in range(1, LAG + 1):
        parts.append(np.vstack([np.repeat(scaled[:1], lag, axis=0), scaled[:-lag]]))
    return np.hstack(parts)


def _directions(rows: Floats) -> tuple[Floats, Floats]:
    """Return mean and main directions of the rows that are left when the worst are trimmed."""
    filled, kept = np.nan_to_num(rows), np.ones(len(rows), bool)
    mean, basis = np.zeros(rows.shape[1]), np.zeros((0, rows.shape[1]))
    for _ in range(PASSES):
        mean = filled[kept].mean(axis=0)
        off = filled[kept] - mean
        power, axes = np.linalg.eigh(off.T @ off)
        power, axes = np.maximum(power[::-1], 0.0), axes[:, ::-1]
        whole = max(float(power.sum()), 1e-12)
        basis = axes[:, : int(np.searchsorted(np.cumsum(power) / whole, VARIANCE)) + 1].T
        left = _residuals(rows, mean, basis)
        filled = np.where(np.isfinite(rows), rows, mean + _fitted(rows - mean, basis))
        size = np.sqrt(np.nanmean(np.square(left), axis=1, where=np.isfinite(left)))
        kept = size <= np.nanquantile(size, TRIM)
    return mean, basis


def _residuals(stacked: Floats, mean: Floats, basis: Floats) -> Floats:
    """Return what the directions leave of the hour itself ``[T, m]``; NaN where it is missing."""
    off = stacked - mean
    now = stacked.shape[1] // (LAG + 1)
    return (off - _fitted(off, basis))[:, :now]


def _fitted(off: Floats, basis: Floats) -> Floats:
    """Return rows as the directions explain them, from those of their parts that are there."""
    whole = np.nan_to_num(off)
    fitted = whole @ basis.T @ basis
    rows = np.flatnonzero(np.isnan(off).any(axis=1))
    if len(rows):
        there = np.isfinite(off[rows])
        square = (there[:, None, :] * basis) @ basis.T + RIDGE * np.eye(len(basis))
        weights = np.linalg.solve(square, (whole[rows] @ basis.T)[:, :, None])[:, :, 0]
        fitted[rows] = weights @ basis
    return fitted


def _logs(left: Floats) -> Floats:
    there = np.isfinite(left)
    total = np.where(there, np.square(left), 0.0).sum(axis=1)
    return np.log(np.sqrt(total / np.maximum(there.sum(axis=1), 1)) + LEAST_LOG)
