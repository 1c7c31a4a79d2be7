"""Forecasts beside what came: the live record of each series."""

import numpy as np

from forecasts.core.issue import Memory
from forecasts.core.spec import HIGH80, HIGH95, LOW80, LOW95, MEDIAN, Spec
from forecasts.groups import SCORED_H
from forecasts.history import HOUR, History
from forecasts.store import Scored


def scored(
    memory: Memory, history: History, ids: list[int], spec: Spec, since: int
) -> list[Scored]:
    """Return the scores of all that was said of the hours from step ``since`` on that are over.

    Beside it what both naive forecasts would have been off, of the values as they came.
    """
    values = history.panel.values
    rows = []
    for index, lead in enumerate(spec.leads):
        if lead not in SCORED_H:
            continue
        for place, origin in enumerate(memory.origins):
            target = int(origin) + lead
            if not max(since, 0) <= target < values.shape[1]:
                continue
            said = memory.quantiles[:, place, index]
            good = np.isfinite(values[:, target]) & np.isfinite(said[:, MEDIAN])
            last = values[:, origin] if origin >= 0 else np.full(len(values), np.nan)
            day = target - spec.day * -(-lead // spec.day)
            yesterday = values[:, day] if day >= 0 else np.full(len(values), np.nan)
            for n in np.flatnonzero(good):
                truth, q = float(values[n, target]), said[n]
                banded = bool(np.isfinite(q).all())
                rows.append(
                    Scored(
                        ids[n],
                        history.begin + target * HOUR,
                        lead * spec.step_s,
                        truth,
                        float(q[MEDIAN]),
                        _number(last[n]),
                        _number(yesterday[n]),
                        bool(q[LOW80] <= truth <= q[HIGH80]) if banded else None,
                        bool(q[LOW95] <= truth <= q[HIGH95]) if banded else None,
                        float(q[HIGH80] - q[LOW80]) if banded else None,
                    )
                )
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
