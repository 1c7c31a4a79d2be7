"""Series on one grid of time, gaps kept as NaN, and their filling that looks backwards only."""

from dataclasses import dataclass, replace

import numpy as np

from catalog.base import Floats
from forecasts.core.spec import DAY_S, Spec

HOLD_STEPS = 3
"""A gap is bridged by the last value this long, then by the day before."""
FIRST_WEEKDAY = 3
"""1970-01-01 was a Thursday."""
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Panel:
    """Values ``[series, steps]`` in the metric's unit; a step is named by its start.

    ``start_s`` is the local time of the first step as seconds (epoch + zone offset), so that days
    are local ones. ``beside`` are other metrics of the same sensor ``[series, steps, k]``, used up
    to the origin. ``ahead`` is what was forecast by others at each step for each lead of the spec
    ``[series, steps, leads, k]``, such as the weather; NaN where nothing was.
    """

    values: Floats
    step_s: int
    start_s: int
    beside: Floats | None = None
    ahead: Floats | None = None

    @classmethod
    def of(
        cls,
        values: Floats,
        step_s: int,
        start_s: int = 0,
        beside: Floats | None = None,
        ahead: Floats | None = None,
    ) -> "Panel":
        """Return a panel of an array; one series may come as ``[steps]``."""
        rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
        return cls(rows, step_s, start_s, beside, ahead)

    @property
    def series(self) -> int:
        """Number of series."""
        return self.values.shape[0]

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.values.shape[1]

    def slot(self, steps: np.ndarray) -> np.ndarray:
        """Return the local time of day of steps, in steps since midnight."""
        return (self.start_s // self.step_s + steps) % (DAY_S // self.step_s)

    def weekend(self, steps: np.ndarray) -> np.ndarray:
        """Tell which steps lie on a Saturday or Sunday, by local time."""
        days = (self.start_s + steps * self.step_s) // DAY_S
        return (days + FIRST_WEEKDAY) % 7 >= SATURDAY

    def part(self, rows: np.ndarray, values: Floats) -> "Panel":
        """Return some series, by index, with values of their own ``[rows, steps]``."""
        return replace(
            self,
            values=values,
            beside=None if self.beside is None else self.beside[rows],
            ahead=None if self.ahead is None else self.ahead[rows],
        )


def filled(values: Floats, day: int) -> Floats:
    """Bridge gaps causally: the last value up to three steps, then the day before, then the last.

    Steps before a series begins stay NaN.
    """
    steps = np.arange(values.shape[1])
    seen = np.where(np.isnan(values), -1, steps[None, :])
    last = np.maximum.accumulate(seen, axis=1)
    held = np.take_along_axis(values, np.maximum(last, 0), axis=1)
    held[last < 0] = np.nan
    result = np.where(steps - last <= HOLD_STEPS, held, np.nan)
    for step in np.flatnonzero(np.isnan(result).any(axis=0)):
        before = result[:, step - day] if step >= day else np.full(len(result), np.nan)
        gap = np.isnan(result[:, step])
        result[gap, step] = np.where(np.isnan(before), held[:, step], before)[gap]
    return result


def transformed(values: Floats, spec: Spec) -> Floats:
    """Return values in the space where they are forecast."""
    if not spec.log:
        return values
    return np.log(np.maximum(values, max(spec.low, 0.0)) + spec.offset)


def restored(values: Floats, spec: Spec) -> Floats:
    """Return what was forecast in the metric's unit, inside its span."""
    unit = np.exp(values) - spec.offset if spec.log else values
    return np.clip(unit, max(spec.low, 0.0) if spec.log else spec.low, spec.high)
