"""Why a group is called off: which signals, how far, since when, and days that were alike. Pure."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from catalog.base import Floats
from forecasts.joint.groups import Signal
from forecasts.joint.judge import DAY, Group
from forecasts.joint.model import logs_of, residuals, smoothed, spreads_off

MOST_SIGNALS, MOST_DAYS = 5, 3
LEAST_LIKENESS = 0.5
LEAST_SHARE = 0.05
LOOKED_BACK_H = 2 * DAY


@dataclass(frozen=True, slots=True)
class Part:
    """One signal's part in it: ``share`` of the whole, ``off`` in its own usual spreads."""

    stream: str
    sensor: str
    metric: str
    share: float
    off: float
    value: float
    expected: float


@dataclass(frozen=True, slots=True)
class Alike:
    """A day before that was off in the same way; ``likeness`` up to 1 (cosine of residuals)."""

    day: str
    likeness: float


def explain(
    group: Group, now: int, begin: datetime, signals: tuple[Signal, ...], zone: Any
) -> dict[str, Any]:
    """Return what explains the hour ``now`` of a group; hours are counted from ``begin``."""
    model = group.model
    assert model is not None
    first = max(0, now - LOOKED_BACK_H)
    logs = smoothed(logs_of(model, group.values[first : now + 1]))
    since = first + _since([spreads_off(model, float(log)) for log in logs], group.limits.least / 2)
    left = residuals(model, group.values[: now + 1])
    parts = _parts(group.values[now], left[now], model.scale, signals)
    mean = _mean(left[since : now + 1])
    return {
        "kind": "joint",
        "since": (begin + timedelta(hours=since)).isoformat(),
        "lasted_s": (now + 1 - since) * 3600,
        "spreads": round(spreads_off(model, float(logs[-1])), 1),
        "signals": [asdict(part) for part in parts],
        "similar": [asdict(day) for day in _similar(mean, left, since, begin, zone)],
        "learned_hours": model.rows,
    }


def _since(spreads: list[float], least: float) -> int:
    """Return where the run of hours began that were off and still are."""
    place = len(spreads) - 1
    while place > 0 and not spreads[place - 1] < least:
        place -= 1
    return place


def _parts(values: Floats, left: Floats, scale: Floats, signals: tuple[Signal, ...]) -> list[Part]:
    square = np.nan_to_num(np.square(left))
    whole = max(float(square.sum()), 1e-12)
    found = []
    for n in np.argsort(-square)[:MOST_SIGNALS]:
        share, one = float(square[n]) / whole, signals[n]
        if share >= LEAST_SHARE:
            off, value = float(left[n]), float(values[n])
            expected = value - off * float(scale[n])
            found.append(Part(one.stream, one.sensor, one.metric, share, off, value, expected))
    return found


def _similar(mean: Floats, left: Floats, since: int, begin: datetime, zone: Any) -> list[Alike]:
    """Return earlier local days whose residual points the same way, the nearest first."""
    offset = begin.astimezone(zone).hour
    found = []
    for start in range((-offset) % DAY, since - DAY + 1, DAY):
        other = _mean(left[start : start + DAY])
        size = float(np.linalg.norm(mean) * np.linalg.norm(other))
        likeness = float(mean @ other) / size if size > 0 else 0.0
        if likeness >= LEAST_LIKENESS:
            day = (begin + timedelta(hours=start)).astimezone(zone).date()
            found.append(Alike(day.isoformat(), round(likeness, 2)))
    return sorted(found, key=lambda one: -one.likeness)[:MOST_DAYS]


def _mean(left: Floats) -> Floats:
    """Return the mean residual of each signal; 0 where there was none."""
    there = np.isfinite(left)
    return np.where(there, left, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
