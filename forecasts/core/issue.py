"""One forecast: members, their weights by live error, median and bands around it."""

from dataclasses import dataclass

import numpy as np

from catalog.base import Floats
from forecasts.core.blend import blended, chase, guards, near, quantiles, weights
from forecasts.core.panel import Panel, restored, transformed
from forecasts.core.spec import BLEND, HIGH80, LOW80, MEDIAN, MEMBERS, QUANTILES, Spec


@dataclass(slots=True)
class Memory:
    """What was said at kept origins, in the metric's unit.

    ``origins`` ``[kept]`` rise; ``members`` ``[series, kept, leads, members]``; ``quantiles``
    ``[series, kept, leads, 5]``. NaN where nothing was said.
    """

    origins: np.ndarray
    members: Floats
    quantiles: Floats

    @classmethod
    def empty(cls, series: int, spec: Spec) -> "Memory":
        """Return a memory of nothing."""
        leads = len(spec.leads)
        return cls(
            np.empty(0, dtype=np.int64),
            np.empty((series, 0, leads, len(MEMBERS))),
            np.empty((series, 0, leads, len(QUANTILES))),
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors known at an origin, truth less forecast, in the space of the forecast.

    ``members`` ``[series, kept, leads, members]``; ``medians`` and ``inside`` (1 = in the band of
    80 %, 0 = not) ``[series, kept, leads]``; NaN = not known yet, or a gap.
    """

    origins: np.ndarray
    members: Floats
    medians: Floats
    inside: Floats


@dataclass(frozen=True, slots=True)
class Issue:
    """What is said at one origin, ``[series, leads, …]`` in the metric's unit.

    Where a series has too few known errors its quantiles are NaN but for the median: it is still
    learning. ``weights`` are those of the members in the median, ``blend`` resolved into them.
    """

    quantiles: Floats
    members: Floats
    weights: Floats


def known_errors(memory: Memory, truth: Floats, origin: int, spec: Spec) -> Errors:
    """Return the errors whose target lies at or before ``origin``.

    ``truth`` ``[series, steps]`` is in the metric's unit. Errors are worked out from the truth of
    the day: a value that was corrected late corrects them.
    """
    targets = memory.origins[:, None] + np.asarray(spec.leads)[None, :]
    inside = (targets <= origin) & (targets >= 0)
    came = np.where(inside[None], np.take(truth, np.where(inside, targets, 0), axis=1), np.nan)
    low, high = memory.quantiles[..., LOW80], memory.quantiles[..., HIGH80]
    held = ((came >= low) & (came <= high)).astype(np.float64)
    held[~(np.isfinite(came) & np.isfinite(low))] = np.nan
    there = transformed(came, spec)
    medians = there - transformed(memory.quantiles[..., MEDIAN], spec)
    return Errors(
        memory.origins, there[..., None] - transformed(memory.members, spec), medians, held
    )


def issue(made: Floats, errors: Errors, origin: int, panel: Panel, spec: Spec) -> Issue:
    """Blend the members ``[series, leads, members]`` made at ``origin``; put bands around them.

    ``made`` is in the space of the forecast, what comes back in the metric's unit.
    """
    ages = (origin - errors.origins) / spec.day
    weigh = weights(errors.members, ages, spec)
    made = made.copy()
    made[..., BLEND] = blended(made, weigh)
    guard = guards(errors.members, ages, spec)
    medians = blended(made, guard)
    kept = ages <= spec.window_days + spec.leads[-1] / spec.day
    leads = np.asarray(spec.leads)
    slots = panel.slot(errors.origins[kept, None] + leads[None, :])
    close = near(slots, panel.slot(origin + leads), spec)
    widen = chase(errors.inside[:, kept], ages[kept])
    spread = quantiles(errors.medians[:, kept], ages[kept], close, widen, spec)
    spread[..., MEDIAN] = 0.0  # moving the median by that of its errors was measured to lose
    spread[..., :MEDIAN] = np.minimum(spread[..., :MEDIAN], 0.0)
    spread[..., MEDIAN + 1 :] = np.maximum(spread[..., MEDIAN + 1 :], 0.0)
    said = restored(medians[..., None] + spread, spec)
    shares = guard + guard[..., BLEND, None] * weigh
    shares[..., BLEND] = 0.0
    return Issue(said, restored(made, spec), shares)
