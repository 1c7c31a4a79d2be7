"""Rolling-origin backtest: every origin sees what was known then, and nothing else."""

from dataclasses import dataclass

import numpy as np

from catalog.base import Floats
from forecasts.core.features import at, prepare
from forecasts.core.issue import Errors, Memory, issue, known_errors
from forecasts.core.levels import Shift, believed, rebased, shifts
from forecasts.core.members import members
from forecasts.core.panel import Panel, restored
from forecasts.core.score import LeadScore, scores
from forecasts.core.spec import MEDIAN, MEMBERS, PERSISTENCE, QUANTILES, SEASONAL_DAY, Spec
from forecasts.core.train import train

WORSE = 3.0
"""A model is made anew when the error of one day is this many times that of seven …"""
WORSE_LEAST = 12
REST_SHARE = 4
"""… but not before a quarter of a day has passed."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """All forecasts of a backtest, in the metric's unit.

    ``origins`` ``[o]``; ``truth`` ``[series, o, leads]`` (NaN = gap, or not yet known);
    ``quantiles`` ``[series, o, leads, 5]``; ``members`` the same with the members, whose naive
    ones are plain: of the values as they came. ``scale`` ``[series]``: mean step from day to day
    before the first origin, for MASE. ``refits`` counts models made before their time.
    """

    spec: Spec
    origins: np.ndarray
    truth: Floats
    quantiles: Floats
    members: Floats
    scale: Floats
    refits: int
    shifts: tuple[Shift, ...]

    def residuals(self, index: int) -> Floats:
        """Return truth less median of one lead (its index): ``[series, origins]``."""
        return self.truth[:, :, index] - self.quantiles[:, :, index, MEDIAN]

    def table(self, score_from: int = 0) -> list[LeadScore]:
        """Return the scores per lead of origins at or after step ``score_from``."""
        used = self.origins >= score_from
        return scores(
            self.spec,
            self.truth[:, used],
            self.quantiles[:, used],
            self.members[:, used],
            self.scale,
        )


def backtest(panel: Panel, spec: Spec, first: int, *, refit_days: float = 1.0) -> Backtest:
    """Forecast at every ``stride``-th step from ``first`` on, and keep the truth beside it.

    Models are fitted at ``first``, then every ``refit_days``, and for a series at once after a
    shift of its level, on what was known. A series comes out the same whatever series are beside
    it in the panel. Give a first origin at least eight days in; weekly members work from day 15,
    bands from about three days after ``first``: score later origins (``table(score_from=…)``).
    """
    origins = np.arange(first, panel.steps, spec.stride)
    memory = _blank(panel, spec, origins)
    run = _Run(panel, spec, origins, shifts(panel.values, spec), max(1, _every(spec, refit_days)))
    for number, origin in enumerate(origins):
        errors = _errors(memory, panel, number, spec)
        made = run.members(number, errors)
        said = issue(made, errors, int(origin), panel, spec)
        memory.members[:, number] = said.members
        memory.quantiles[:, number] = said.quantiles
    targets = origins[:, None] + np.asarray(spec.leads)[None, :]
    inside = targets < panel.steps
    truth = np.where(inside, panel.values[:, np.minimum(targets, panel.steps - 1)], np.nan)
    return Backtest(
        spec,
        origins,
        truth,
        memory.quantiles,
        _plain(memory.members, panel, spec, origins),
        day_step(panel, spec, first),
        run.refits,
        tuple(run.moved),
    )


def worse(errors: Errors, origin: int, spec: Spec) -> np.ndarray:
    """Tell which series are off three times as far within a day as within seven: ``[series]``.

    Judged at the first lead, whose truth comes soonest.
    """
    ages = (origin - errors.origins) / spec.day
    off = np.abs(errors.medians[:, :, 0])
    with np.errstate(invalid="ignore"):
        return _mean(off[:, ages <= 1]) > WORSE * _mean(off[:, ages <= 7])


class _Run:
    """What the members say at each origin, by models that are made anew when they are due."""

    def __init__(
        self, panel: Panel, spec: Spec, origins: np.ndarray, moved: list[Shift], every: int
    ) -> None:
        self.panel, self.spec, self.origins = panel, spec, origins
        self.moved, self.every = moved, every
        self.refits = 0
        self._begin = 0
        self._trained = np.zeros(panel.series, dtype=np.int64)
        self._made: Floats = np.empty(0)

    def members(self, number: int, errors: Errors) -> Floats:
        """Return ``[series, leads, members]`` at origin ``number``."""
        if number % self.every == 0:
            self._begin = number
            rows = np.arange(self.panel.series)
            self._made = self._fit(rows, number)
        elif len(rows := np.flatnonzero(self._due(number, errors))):
            self._made[rows, number - self._begin :] = self._fit(rows, number)
            self.refits += len(rows)
        return self._made[:, number - self._begin]

    def _due(self, number: int, errors: Errors) -> np.ndarray:
        before, now = int(self.origins[number - 1]), int(self.origins[number])
        rested = (now - self._trained) * REST_SHARE >= self.spec.day
        due = worse(errors, now, self.spec) & rested
        for shift in self.moved:
            due[shift.series] |= before < shift.seen <= now or before < shift.gone <= now
        return due

    def _fit(self, rows: np.ndarray, number: int) -> Floats:
        """Make models of some series; return what they say until models of all are made."""
        origin = int(self.origins[number])
        known = believed(self.moved, origin)
        values = rebased(self.panel.values, known)[rows] if known else self.panel.values[rows]
        part = prepare(self.panel.part(rows, values), self.spec)
        self._trained[rows] = origin
        ahead = self.origins[number : self._begin + self.every]
        return members(part, ahead, train(part, origin + 1))


def _every(spec: Spec, refit_days: float) -> int:
    return int(refit_days * spec.day / spec.stride)


def _blank(panel: Panel, spec: Spec, origins: np.ndarray) -> Memory:
    shape = (panel.series, len(origins), len(spec.leads))
    parts = (np.full((*shape, len(names)), np.nan) for names in (MEMBERS, QUANTILES))
    return Memory(origins, *parts)


def _errors(memory: Memory, panel: Panel, number: int, spec: Spec) -> Errors:
    """Return what is known at origin ``number`` of the errors made before it."""
    reach = (spec.window_days * spec.day + spec.leads[-1]) // spec.stride + 1
    kept = slice(max(0, number - reach), number)
    part = Memory(memory.origins[kept], memory.members[:, kept], memory.quantiles[:, kept])
    return known_errors(part, panel.values, int(memory.origins[number]), spec)


def _plain(made: Floats, panel: Panel, spec: Spec, origins: np.ndarray) -> Floats:
    """Put the naive forecasts of the values as they came in place of those that were moved."""
    naive = members(prepare(panel, spec), origins, None)
    for name in (PERSISTENCE, SEASONAL_DAY):
        made[..., name] = restored(naive[..., name], spec)
    return made


def _mean(values: Floats) -> Floats:
    """Return means over known values, NaN with fewer than twelve."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count >= WORSE_LEAST, total / np.maximum(count, 1), np.nan)


def day_step(panel: Panel, spec: Spec, first: int) -> Floats:
    """Return the mean step from day to day up to step ``first``, per series: the scale of MASE."""
    steps = np.arange(spec.day, min(first + 1, panel.steps))
    moved = np.abs(panel.values[:, steps] - at(panel.values, steps - spec.day))
    known = np.isfinite(moved)
    return np.where(known, moved, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
