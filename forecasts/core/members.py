"""The members' forecasts at given origins: each a pure function of what was known then."""

import numpy as np

from catalog.base import Floats
from forecasts.core.features import Known, at, days_back, features, profile
from forecasts.core.spec import (
    DAMPED,
    MEMBERS,
    PERSISTENCE,
    RIDGE,
    SEASONAL_DAY,
    SEASONAL_WEEK,
    USUAL,
    USUAL_DAYS,
)
from forecasts.core.train import Model, damped

FAR_OUT = 4.0
"""A feature counts up to this many standard deviations: a ridge extrapolates without bound."""


def members(known: Known, origins: np.ndarray, model: Model | None) -> Floats:
    """Return ``[series, origins, leads, members]`` in the space of the forecast; NaN = no part.

    Without a model only the naive ones take part. Beyond 24 h only the damped anomaly, the usual
    day and the seasonal day do: the others were measured to lose there. ``blend`` stays NaN.
    """
    leads = known.spec.leads
    made = np.full((known.panel.series, len(origins), len(leads), len(MEMBERS)), np.nan)
    for index in range(len(leads)):
        _naive(made[:, :, index], known, origins, leads[index])
        if model is not None:
            _fitted(made[:, :, index], known, origins, index, model)
    return made if model is None else _bounded(made, known, origins, model)


def _naive(made: Floats, known: Known, origins: np.ndarray, lead: int) -> None:
    spec, targets = known.spec, origins + lead
    back = days_back(spec, lead)
    made[..., SEASONAL_DAY] = at(known.values, targets - back * spec.day)
    if lead > spec.day:
        return
    made[..., PERSISTENCE] = at(known.values, origins)
    if spec.weekly:
        made[..., SEASONAL_WEEK] = at(known.values, targets - spec.week)
    else:
        made[..., SEASONAL_WEEK] = profile(known, targets, back)


def _fitted(made: Floats, known: Known, origins: np.ndarray, index: int, model: Model) -> None:
    spec = known.spec
    lead = spec.leads[index]
    base, anomaly = damped(known, origins, lead)
    made[..., DAMPED] = base + model.phi[:, index, None] * anomaly
    made[..., USUAL] = profile(known, origins + lead, days_back(spec, lead), USUAL_DAYS)
    if lead <= spec.day:
        made[..., RIDGE] = made[..., DAMPED] + _rest(known, origins, index, model)


def _rest(known: Known, origins: np.ndarray, index: int, model: Model) -> Floats:
    rows = features(known, origins, known.spec.leads[index], index)
    rows = (rows - model.centre[:, None, index]) / model.scale[:, None, index]
    rows = np.clip(np.nan_to_num(rows), -FAR_OUT, FAR_OUT)
    # a sum of products, not a matrix product: the same to the last bit however many origins
    found = (rows * model.weights[:, None, index]).sum(axis=2)
    return found + model.bias[:, index, None]


def _bounded(made: Floats, known: Known, origins: np.ndarray, model: Model) -> Floats:
    """Keep members inside what was seen in training, widened by one range and by what is now.

    A series that went beyond its bounds since then takes them along: persistence always stands.
    """
    now = at(known.values, origins)
    low = np.fmin(model.low[:, None], now)[:, :, None, None]
    high = np.fmax(model.high[:, None], now)[:, :, None, None]
    return np.clip(made, low, high)
