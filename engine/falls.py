"""Sudden falls in minutes of many sensors: low against what was usual an hour ago (speed drop).

After the rule of thumb for single detectors: below half of what is usual for three of four minutes.
What is usual comes from the sensor's own last two hours, so a slow rise of demand is no fall.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.detection import Fall

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
USUAL = 75.0
"""Percentile."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Per sensor, of the last minute: has it ``fallen``, is a fall ``over``, what is ``usual``.

    NaN usual = not evaluated: neither fallen nor over.
    """

    fallen: Bools
    over: Bools
    usual: Floats


def evaluate(minutes: Floats, fall: Fall) -> Evaluated:
    """Evaluate the last minute of ``minutes [T, S]``, oldest first, NaN for no good value.

    T is at least ``fall.back_min``; what lies before is not looked at.
    """
    seen = minutes[-fall.back_min :]
    before, last = seen[: -fall.gap_min], seen[-fall.of :]
    enough = np.isfinite(before).sum(axis=0) >= fall.known
    usual = np.full(minutes.shape[1], np.nan)
    if enough.any():
        usual[enough] = np.nanpercentile(before[:, enough], USUAL, axis=0)
    sure = (usual >= fall.least) & ~_still(seen[-fall.still_min :])
    usual = np.where(sure, usual, np.nan)
    known = np.isfinite(last)
    low, high = known & (last <= fall.share * usual), known & (last > fall.over * usual)
    return Evaluated(low.sum(axis=0) >= fall.hits, high.sum(axis=0) == fall.of, usual)


def _still(last: Floats) -> Bools:
    """Tell which sensors have said the same number in each of these minutes."""
    whole = np.isfinite(last).all(axis=0)
    return whole & (np.nan_to_num(last).max(axis=0) == np.nan_to_num(last).min(axis=0))
