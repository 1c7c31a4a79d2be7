"""Scores of forecasts against what came, beside those of both naive forecasts on the same cases."""

from dataclasses import asdict, dataclass

import numpy as np

from catalog.base import Floats
from forecasts.core.spec import PERSISTENCE, QUANTILES, SEASONAL_DAY, Spec


@dataclass(frozen=True, slots=True)
class LeadScore:
    """Scores of one lead over all series: means over series, each over its own cases.

    ``gain`` is the median over series of 1 - MAE / MAE of the seasonal day; ``worst`` the largest
    MAE of a series over that of its better naive; ``pinball`` is in units of ``scale`` (MASE's).
    """

    lead_s: int
    n: int
    gain: float
    worst: float
    mae: float
    mae_persistence: float
    mae_seasonal: float
    mase: float
    mase_persistence: float
    mase_seasonal: float
    pinball: float
    cover80: float
    cover95: float
    width80: float

    def as_dict(self) -> dict[str, float]:
        """Return the scores by name."""
        return asdict(self)


def pinball(truth: Floats, quantiles: Floats) -> Floats:
    """Return the mean pinball loss over the issued quantiles, in the unit of the truth."""
    levels = np.asarray(QUANTILES)
    off = truth[..., None] - quantiles
    return np.maximum(levels * off, (levels - 1) * off).mean(axis=-1)


def series_mae(truth: Floats, said: Floats) -> Floats:
    """Return mean absolute errors per series and lead; NaN where nothing is known."""
    off = np.abs(truth - said)
    known = np.isfinite(off)
    count = known.sum(axis=1)
    total = np.where(known, off, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def scores(
    spec: Spec, truth: Floats, quantiles: Floats, made: Floats, scale: Floats
) -> list[LeadScore]:
    """Return one row per lead. Cases are those where truth, forecast and both naives are there."""
    middle = quantiles[..., QUANTILES.index(0.5)]
    last, day = made[..., PERSISTENCE], made[..., SEASONAL_DAY]
    last = np.where(np.isnan(last), day, last)
    good = np.isfinite(truth) & np.isfinite(middle) & np.isfinite(last) & np.isfinite(day)
    truth = np.where(good, truth, np.nan)
    ours, lasts, days = (series_mae(truth, said) for said in (middle, last, day))
    by = np.where(scale > 0, scale, np.nan)[:, None]
    loss = _mean1(pinball(truth, quantiles)) / by
    inside = [_inside(truth, quantiles[..., a], quantiles[..., b]) for a, b in ((1, 3), (0, 4))]
    width = _mean1(quantiles[..., 3] - quantiles[..., 1])
    naive = np.fmin(lasts, days)
    columns = (ours, lasts, days, ours / by, lasts / by, days / by, loss, *inside, width)
    return [
        LeadScore(
            lead * spec.step_s,
            int(good[:, :, index].sum()),
            _typical_gain(ours[:, index], days[:, index]),
            _worst(ours[:, index], naive[:, index]),
            *(_mean(column[:, index]) for column in columns),  # pyright: ignore[reportCallIssue]
        )
        for index, lead in enumerate(spec.leads)
    ]


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _typical_gain(ours: Floats, naive: Floats) -> float:
    known = np.isfinite(ours) & (naive > 0)
    return float(1 - np.median(ours[known] / naive[known])) if known.any() else float("nan")


def _worst(ours: Floats, naive: Floats) -> float:
    known = np.isfinite(ours) & (naive > 0)
    return float((ours[known] / naive[known]).max()) if known.any() else float("nan")


def _inside(truth: Floats, low: Floats, high: Floats) -> Floats:
    hit = (truth >= low) & (truth <= high)
    return _mean1(np.where(np.isfinite(truth) & np.isfinite(low), hit, np.nan))


def _mean1(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.where(
        count > 0, np.where(known, values, 0).sum(axis=1) / np.maximum(count, 1), np.nan
    )
