"""What the members know at an origin: sums, profiles and the features of the ridge.

Every function reads filled values ``[series, steps]`` at or before the origins only.
"""

from dataclasses import dataclass

import numpy as np

from catalog.base import Floats
from forecasts.core.panel import Panel, filled, transformed
from forecasts.core.spec import WEEK_DAYS, Spec

LAGS = 12
HARMONICS = 4
MEAN_HOURS = (3, 12, 24)


@dataclass(frozen=True, slots=True)
class Known:
    """A panel made ready once. All but ``panel`` is in the space of the forecast.

    ``truth`` and ``values`` ``[series, steps]``: with gaps, and filled. ``sums`` ``[series,
    steps + 1]``: of all filled values before a step. ``by_day`` ``[series, steps]``: sum over this
    slot of this and all earlier days. ``counts`` and ``days``: how many values these are of (a
    series may begin late). ``beside``: other metrics less their mean of seven days. ``ahead``:
    forecasts of others ``[series, steps, leads, k]``, less the seven days before at that hour.
    """

    panel: Panel
    spec: Spec
    truth: Floats
    values: Floats
    sums: Floats
    counts: Floats
    by_day: Floats
    days: Floats
    beside: Floats | None
    ahead: Floats | None


def prepare(panel: Panel, spec: Spec) -> Known:
    """Return the panel with what is computed once for all origins."""
    truth = transformed(panel.values, spec)
    values = filled(truth, spec.day)
    there = np.isfinite(values).astype(np.float64)
    zeroed = np.nan_to_num(values)
    sums, counts = (_running(part) for part in (zeroed, there))
    by_day, days = (_running_days(part, spec.day) for part in (zeroed, there))
    sides = _beside(panel, spec), _ahead(panel, spec)
    return Known(panel, spec, truth, values, sums, counts, by_day, days, *sides)


def _running(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _running_days(values: Floats, day: int) -> Floats:
    total = values.copy()
    for step in range(day, values.shape[1], day):
        width = min(day, values.shape[1] - step)
        total[:, step : step + width] += total[:, step - day : step - day + width]
    return total


def _beside(panel: Panel, spec: Spec) -> Floats | None:
    if panel.beside is None or panel.beside.shape[2] == 0:
        return None
    columns = [filled(panel.beside[:, :, k], spec.day) for k in range(panel.beside.shape[2])]
    values = np.stack(columns, axis=2)
    total = np.cumsum(np.nan_to_num(values), axis=1)
    old = np.zeros_like(total)
    old[:, spec.week :] = total[:, : -spec.week]
    count = np.minimum(np.arange(1, values.shape[1] + 1), spec.week)
    return values - (total - old) / count[None, :, None]


def _ahead(panel: Panel, spec: Spec) -> Floats | None:
    """Return what others forecast, less what is usual at that hour of the day.

    A series is forecast as its usual day and what is left over; what the weather adds to the usual
    day is how it differs from the weather of the days that made it (measured: better than the
    values themselves on 6 of 6 air series). Those days are as had been said an hour before.
    """
    if panel.ahead is None or panel.ahead.shape[3] == 0:
        return panel.ahead
    first, steps = spec.leads[0], np.arange(panel.steps)
    made = np.empty_like(panel.ahead)
    for k in range(panel.ahead.shape[3]):
        came = np.full((panel.series, panel.steps), np.nan)
        came[:, first:] = panel.ahead[:, : panel.steps - first, 0, k]
        there = np.isfinite(came)
        total, days = (
            _running_days(part, spec.day)
            for part in (np.where(there, came, 0.0), there.astype(np.float64))
        )
        for index, lead in enumerate(spec.leads):
            usual = _of_days(total, days, steps + lead - days_back(spec, lead) * spec.day, spec)
            made[:, :, index, k] = panel.ahead[:, :, index, k] - usual
    return made


def at(values: Floats, steps: np.ndarray) -> Floats:
    """Return columns of ``values``; NaN before the first one."""
    # take, for its result lies in memory the same way however many series there are: sums of it
    # come out the same to the last bit
    return np.where(steps >= 0, np.take(values, np.maximum(steps, 0), axis=1), np.nan)


def mean_before(known: Known, origins: np.ndarray, steps: int) -> Floats:
    """Return the mean of the last ``steps`` values, the origin's among them."""
    begin, end = np.maximum(origins + 1 - steps, 0), origins + 1
    total, count = (
        np.take(part, end, axis=1) - np.take(part, begin, axis=1)
        for part in (known.sums, known.counts)
    )
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def days_back(spec: Spec, lead: int) -> int:
    """Return how many days before the target the newest known value of its slot lies."""
    return max(1, -(-lead // spec.day))


def profile(known: Known, targets: np.ndarray, back: int, days: int = WEEK_DAYS) -> Floats:
    """Return the mean of the target's slot on ``days`` days, the newest ``back`` days before it."""
    newest = targets - back * known.spec.day
    return _of_days(known.by_day, known.days, newest, known.spec, days)


def _of_days(
    by_day: Floats, counts: Floats, newest: np.ndarray, spec: Spec, days: int = WEEK_DAYS
) -> Floats:
    """Return means over one slot of ``days`` days, the newest of them at steps ``newest``."""
    oldest = newest - days * spec.day
    total, count = (
        np.nan_to_num(at(part, newest)) - np.nan_to_num(at(part, oldest))
        for part in (by_day, counts)
    )
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def features(known: Known, origins: np.ndarray, lead: int, index: int) -> Floats:
    """Return the ridge's features ``[series, origins, k]`` for one lead (its ``index``).

    Levels are taken relative to the mean of the last seven days, so that a series that has moved
    to another level still looks like those that the ridge was trained on.
    """
    spec, panel = known.spec, known.panel
    level = mean_before(known, origins, spec.week)
    hour = max(1, 3600 // spec.step_s)
    columns = [at(known.values, origins - lag) - level for lag in range(LAGS)]
    columns += [mean_before(known, origins, n * hour) - level for n in MEAN_HOURS]
    targets = origins + lead
    back = days_back(spec, lead)
    slots = [back, back + 1, *([WEEK_DAYS * -(-lead // spec.week)] if spec.weekly else [])]
    columns += [at(known.values, targets - n * spec.day) - level for n in slots]
    columns.append(profile(known, targets, back) - level)
    made = [np.stack(columns, axis=2)]
    if known.beside is not None:
        made.append(np.take(known.beside, origins, axis=1))
    if known.ahead is not None:
        made.append(np.take(known.ahead[:, :, index], origins, axis=1))
    made.append(_calendar(panel, spec, targets))
    return np.concatenate(made, axis=2)


def width(spec: Spec, beside: int, ahead: int) -> int:
    """Return how many features `features` gives with so many quantities beside and ahead."""
    weekly = 1 if spec.weekly else 0
    own = LAGS + len(MEAN_HOURS) + 3 + weekly
    return own + beside + ahead + 2 * HARMONICS + 3 * weekly


def _calendar(panel: Panel, spec: Spec, targets: np.ndarray) -> Floats:
    angle = 2 * np.pi * panel.slot(targets) / spec.day
    waves = [f(n * angle) for n in range(1, HARMONICS + 1) for f in (np.sin, np.cos)]
    if spec.weekly:
        weekend = panel.weekend(targets).astype(np.float64)
        waves += [weekend, weekend * np.sin(angle), weekend * np.cos(angle)]
    row = np.stack(waves, axis=1)
    return np.broadcast_to(row, (panel.series, *row.shape))
