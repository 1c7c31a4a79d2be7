"""All that the reference remembers of one sensor, which is everything it has ever sent."""

from copy import deepcopy
from dataclasses import dataclass, field

from verify.oracle.quality import Checked, Trace
from verify.oracle.rolling import Buckets
from verify.oracle.rules import Alarm
from verify.oracle.usual import Usual


@dataclass
class Statistic:
    """One quantity inside one window."""

    n: int = 0
    good: int = 0
    used: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None
    last: float | None = None
    last_at: int = 0

    def add(self, at: int, value: float, good: bool, used: bool) -> None:
        """Count a value; only one that is used makes sum, min, max and last."""
        self.n += 1
        self.good += good
        if not used:
            return
        self.used += 1
        self.sum += value
        self.min = value if self.min is None else min(self.min, value)
        self.max = value if self.max is None else max(self.max, value)
        if self.last is None or at > self.last_at:
            self.last, self.last_at = value, at


@dataclass
class Window:
    """One minute of one sensor."""

    start: int
    rows: int = 0
    revision: int = 0
    statistics: dict[str, Statistic] = field(default_factory=dict)


@dataclass
class Remembered:
    """What the threshold rules remember of a sensor."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    looked_at: int | None = None
    """Time of the last reading that rules looked at."""
    looked_tick: int = 0
    """Ticks that were counted before that reading came."""


@dataclass
class Held:
    """A reading that waits for the next one, and why."""

    reading: Checked
    jumped: list[str]
    before: Remembered | None = None
    """What rules remembered before they looked at it; None while they have not."""


@dataclass
class Device:
    """All that is known of one sensor; ticks are numbers of ticks counted before."""

    name: str
    is_placed: bool
    arrived_tick: int | None = None
    """When it last sent anything."""
    usable_tick: int = 0
    """When it last sent something usable; before that, when its partition was first worked off."""
    trouble: str = ""
    """What was wrong with the last reading that came: ``late``, ``unusable``, or nothing."""
    filled_tick: int = 0
    """When the last reading came that counted."""
    newest: int | None = None
    latest: int | None = None
    """The latest time it ever had: a clock that is set back does not lower it."""
    newest_tick: int = 0
    seen: set[int] = field(default_factory=set)
    ahead: list[int] = field(default_factory=list)
    """The times of its own that the last readings from ahead named."""
    traces: dict[str, Trace] = field(default_factory=dict)
    held: Held | None = None
    windows: dict[int, Window] = field(default_factory=dict)
    changed: dict[int, Window] = field(default_factory=dict)
    """Windows that have changed since they were last put out."""
    buckets: dict[str, Buckets] = field(default_factory=dict)
    gaps: list[int] = field(default_factory=list)
    rules: Remembered = field(default_factory=Remembered)
    usual: Usual = field(default_factory=Usual)
    watches: dict[str, Alarm] = field(default_factory=dict)
    """Alarms of health and of silence."""
    sent: set[str] = field(default_factory=set)
    """Metrics that it has sent in some newest reading."""
    bad_since: dict[str, int] = field(default_factory=dict)
    """Metric to when the first value came that gave nothing usable, and no good one after it."""
    well_since: int | None = None

    def remembered(self) -> Remembered:
        """Return a copy of what rules remember now."""
        return deepcopy(self.rules)

    def move_back(self, by: int) -> None:
        """Move every time of the latest readings, tests and rules back (µs)."""
        for trace in self.traces.values():
            trace.at -= by
            trace.at_before -= by
            trace.still_since -= by
        for metric in self.bad_since:
            self.bad_since[metric] -= by
        if self.well_since is not None:
            self.well_since -= by
        for alarm in self.rules.alarms.values():
            for times in (alarm.holds_since, alarm.over_since):
                for severity in times:
                    times[severity] -= by
        if self.rules.looked_at is not None:
            self.rules.looked_at -= by
