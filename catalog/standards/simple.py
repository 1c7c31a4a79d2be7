"""Small derived-metric functions that several streams share."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.model import DerivedFunction, Floats


def absolute_deviation(metric: str, nominal: float) -> DerivedFunction:
    """Return |metric - nominal|, in the metric's unit."""

    def deviation(columns: Mapping[str, Floats], observed_at: NDArray[np.int64]) -> Floats:
        return np.abs(columns[metric] - nominal)

    return deviation
