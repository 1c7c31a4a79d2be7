"""Early warnings as a pure function of what was forecast and what came.

| outcome | when |
|---|---|
| hit | the limit was crossed while the warning stood, raised before that hour began |
| false | taken back after the hour that it had named, nothing was crossed |
| withdrawn | taken back before that hour, nothing was crossed |
| miss | crossed after three hours on the safe side, with no warning standing |
| void | the sensor fell silent while it stood: nobody can tell |

Whoever counts false alarms counts the withdrawn ones too: they were told and did not come.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from catalog.base import Floats
from catalog.early import AHEAD_H, END, RAISE
from forecasts.core.backtest import Backtest
from forecasts.core.spec import QUANTILES

SAFE_HOURS = 3
"""Hours on the safe side after which a crossing is an event of its own."""
BELOW_ALL, ABOVE_ALL = 0.0125, 0.9875
"""Beyond the outer quantiles half of what they leave."""
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Limit:
    """One level of a rule: its limit for each series (NaN = it has none)."""

    rule: str
    severity: int
    upwards: bool
    values: Floats


@dataclass(frozen=True, slots=True)
class Step:
    """What is decided of one series and level at an hour."""

    outcome: str
    chance: float
    lead_h: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A warning that stands: whether the hour that it named (its ``lead_h``) is over."""

    overdue: bool


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning or miss of a series, in steps of the panel; ``raised`` is the hour of issue."""

    series: int
    limit: Limit
    raised: int
    ended: int | None
    outcome: str
    chance: float | None
    expected: int | None
    crossed: int | None


def chances(quantiles: Floats, limit: Floats | float, *, upwards: bool) -> Floats:
    """Return how likely a value lies beyond a limit; ``quantiles`` ``[…, 5]``, NaN without bands.

    Straight lines between the quantiles; ``limit`` broadcasts against all but the last axis.
    """
    edge = np.broadcast_to(np.asarray(limit, dtype=np.float64), quantiles.shape[:-1])
    below = np.full(edge.shape, BELOW_ALL)
    for n in range(len(QUANTILES) - 1):
        low, high = quantiles[..., n], quantiles[..., n + 1]
        with np.errstate(invalid="ignore"):
            span = np.where(high > low, high - low, 1.0)
            share = np.clip((edge - low) / span, 0.0, 1.0)
            reached = QUANTILES[n] + (QUANTILES[n + 1] - QUANTILES[n]) * share
            below = np.where(edge >= low, reached, below)
    below = np.where(edge > quantiles[..., -1], ABOVE_ALL, below)
    known = np.isfinite(quantiles).all(axis=-1) & np.isfinite(edge)
    return np.where(known, 1 - below if upwards else below, np.nan)


def beyond(values: Floats, limit: Floats | float, *, upwards: bool) -> np.ndarray:
    """Tell which values lie beyond a limit; NaN does not."""
    with np.errstate(invalid="ignore"):
        return values >= limit if upwards else values <= limit


def decide(
    recent: Floats,
    chance: Floats,
    leads_h: tuple[int, ...],
    limit: Limit,
    own: float,
    standing: Standing | None,
) -> Step | None:
    """Return what changes at this hour, None if nothing. ``recent``: hours up to now.

    The window's chance is the largest of its hours: never a product, as hours hang together.
    """
    over, known = beyond(recent, own, upwards=limit.upwards), np.isfinite(recent)
    near = np.array([lead <= AHEAD_H for lead in leads_h])
    inside = np.where(near & np.isfinite(chance), chance, -1.0)
    best = int(inside.argmax())
    step = Step("open", float(inside[best]), leads_h[best])
    if standing is not None:
        return _ends(step, standing, over, known)
    if not known[-1]:
        return None
    if over[-1]:
        calm = known[:-1].all() and not over[:-1].any()
        return Step("miss", step.chance, step.lead_h) if calm else None
    return step if step.chance >= RAISE else None


def _ends(step: Step, standing: Standing, over: np.ndarray, known: np.ndarray) -> Step | None:
    """Return how a warning that stands ends at this hour, None while it stands."""
    if not known[-1]:
        return None if known.any() else Step("void", step.chance, step.lead_h)
    if over[-1]:
        return Step("hit", step.chance, step.lead_h)
    if step.chance >= END:
        return None
    return Step("false" if standing.overdue else "withdrawn", step.chance, step.lead_h)


def replay(said: Backtest, values: Floats, limits: list[Limit]) -> list[Warned]:
    """Return the warnings that the forecasts of a backtest would have raised, in hours.

    ``values`` ``[series, steps]`` are the panel's. A warning that stands at the end is left out.
    """
    found: list[Warned] = []
    for limit in limits:
        chance = chances(said.quantiles, limit.values[:, None, None], upwards=limit.upwards)
        for series in np.flatnonzero(np.isfinite(limit.values)):
            own = float(limit.values[series])
            row = values[int(series)]
            if not beyond(row, own, upwards=limit.upwards).any() and (
                np.nanmax(chance[series], initial=0.0) < RAISE
            ):
                continue
            found += _of_series(int(series), limit, own, said, row, chance[series])
    return found


def _of_series(
    series: int, limit: Limit, own: float, said: Backtest, row: Floats, chance: Floats
) -> Iterator[Warned]:
    leads_h = tuple(lead * said.spec.step_s // HOUR_S for lead in said.spec.leads)
    opened: Warned | None = None
    for number, origin in enumerate(said.origins):
        now = int(origin) + 1  # the hour of issue
        recent = row[max(0, now - SAFE_HOURS - 1) : now]
        overdue = opened is not None and opened.expected is not None and now > opened.expected
        standing = Standing(overdue) if opened else None
        step = decide(recent, chance[number], leads_h, limit, own, standing)
        if step is None:
            continue
        if step.outcome == "miss":
            yield Warned(series, limit, now, now, "miss", None, None, now - 1)
        elif step.outcome == "open":
            named = now + step.lead_h - 1
            opened = Warned(series, limit, now, None, "open", step.chance, named, None)
        elif opened is not None:
            crossed = now - 1 if step.outcome == "hit" else None
            parts = (opened.raised, now, step.outcome, opened.chance, opened.expected, crossed)
            yield Warned(series, limit, *parts)
            opened = None
