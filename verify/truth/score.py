"""Scores: what a detector said against what the labels say."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from verify.truth.play import Episode, Quality
from verify.truth.series import Window

MONTH_DAYS = 30.0
HOUR_US = 3_600e6


@dataclass(frozen=True, slots=True)
class Score:
    """One detector on one set: labelled windows, those seen, and the episodes it raised.

    ``delay_h`` is the median time from a window's begin to the first episode within it.
    """

    detector: str
    data: str
    sensors: int
    sensor_days: float
    windows: int
    seen: int
    episodes: int
    false: int
    delay_h: float | None = None

    @property
    def recall(self) -> float | None:
        """Share of the windows that were seen; None without any."""
        return self.seen / self.windows if self.windows else None

    @property
    def precision(self) -> float | None:
        """Share of the episodes that lie upon a window; None without any episode or window."""
        if not (self.episodes and self.windows):
            return None
        return (self.episodes - self.false) / self.episodes

    @property
    def false_per_day(self) -> float:
        """False episodes a sensor and day."""
        return self.false / self.sensor_days if self.sensor_days else 0.0

    @property
    def per_month(self) -> float:
        """All episodes a sensor and month of 30 days."""
        return self.episodes * MONTH_DAYS / self.sensor_days if self.sensor_days else 0.0

    def row(self) -> dict[str, Any]:
        """Return all figures by name."""
        return asdict(self) | {
            "recall": self.recall,
            "precision": self.precision,
            "false_per_sensor_day": self.false_per_day,
            "episodes_per_sensor_month": self.per_month,
        }


@dataclass(frozen=True, slots=True)
class Doubt:
    """What quality control doubts of sound values, and how often a sensor is called unwell."""

    data: str
    sensors: int
    sensor_days: float
    quality: Quality
    health: int

    @property
    def health_per_month(self) -> float:
        """Episodes of health a sensor and month."""
        return self.health * MONTH_DAYS / self.sensor_days if self.sensor_days else 0.0

    def row(self) -> dict[str, Any]:
        """Return all figures by name."""
        return {
            "data": self.data,
            "sensors": self.sensors,
            "sensor_days": self.sensor_days,
            "values": self.quality.values,
            "suspect_share": self.quality.suspect_share,
            "failed_share": self.quality.failed / max(1, self.quality.values),
            "flags_by_test": dict(self.quality.tests),
            "health_episodes": self.health,
            "health_per_sensor_month": self.health_per_month,
        }


def score(
    detector: str,
    data: str,
    sensors: int,
    sensor_days: float,
    windows: Sequence[Window],
    episodes: Sequence[Episode],
) -> Score:
    """Hold episodes against windows: one that overlaps no window is false."""
    delays, seen = [], 0
    for begin, end in windows:
        upon = [e for e in episodes if e.overlaps(begin, end)]
        seen += bool(upon)
        if upon:
            delays.append(max(0, min(e.raised for e in upon) - begin) / HOUR_US)
    false = sum(not any(e.overlaps(*window) for window in windows) for e in episodes)
    return Score(
        *(detector, data, sensors, sensor_days, len(windows), seen, len(episodes), false),
        delay_h=median(delays) if delays else None,
    )


def added(detector: str, data: str, scores: Sequence[Score]) -> Score:
    """Return several sets as one; the delay is the median of theirs."""
    delays = [s.delay_h for s in scores if s.delay_h is not None]
    return Score(
        detector,
        data,
        sum(s.sensors for s in scores),
        sum(s.sensor_days for s in scores),
        sum(s.windows for s in scores),
        sum(s.seen for s in scores),
        sum(s.episodes for s in scores),
        sum(s.false for s in scores),
        median(delays) if delays else None,
    )
