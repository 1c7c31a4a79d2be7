"""State of one partition of one stream: arrays with a row per sensor, grown by doubling."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from catalog.lifecycle.day_kinds import kinds_of
from catalog.model import AbsenceRule, Stream, ThresholdRule, UnusualRule
from catalog.overrides import site_overrides
from catalog.registry import spokesman, streams
from catalog.sensors import sensor, sensors_of
from catalog.ticks import Hearing
from catalog.topics import shard_of
from engine.layout import (
    FIRST_SEEN,
    NEVER,
    SEEN,
    SEVERITIES,
    Field,
    Group,
    Ring,
    by_axes,
    fields,
    groups,
    labels,
    rings,
    window_places,
)
from engine.limits import Learned, Limits, nearest
from engine.own import Overrides

US = 1_000_000
TELLER = 0
"""The shard that puts out the alerts of the whole stream, and of the platform."""
FIRST_SENSORS = 16


@dataclass(slots=True)
class Silence:
    """What the shard knows of its whole stream: what it has told, what others have told it."""

    told: Hearing = "nobody"
    heard: dict[str, tuple[Hearing, int]] = field(default_factory=dict)
    """Shard to (what it hears, its tick)."""
    since: int = NEVER
    """Tick count since which nobody hears anything of the stream."""
    back: int = NEVER
    """Tick count at which it, or anything at all, was last heard again."""
    raised: int = NEVER
    """Time of the open alert (epoch µs)."""


@dataclass(slots=True)
class Pipeline:
    """What the shard knows of the platform: whether anything comes from any stream."""

    cadence_s: int = 0
    """Shortest cadence among the streams that were heard; 0 while none was."""
    still: bool = False
    raised: int = NEVER
    """Time of the open alert (epoch µs); only the shard that speaks for all has one."""


@dataclass(slots=True)
class Cache:
    """Rolling quantities of the buckets before the newest; can be computed anew at any time."""

    bucket: np.ndarray
    need: np.ndarray
    total: np.ndarray
    valid: np.ndarray

    @classmethod
    def empty(cls, rows: int, quantities: int) -> "Cache":
        """Know nothing of so many sensors and quantities."""
        shape = (rows, quantities)
        return cls(
            np.full(rows, NEVER), np.zeros(rows, np.int64), np.zeros(shape), np.zeros(shape, int)
        )


@dataclass(slots=True)
class State:
    """All arrays of one partition, by ``layout.fields``, and what derives from the catalog."""

    stream: Stream
    shard: int = 0
    day_kind: Callable[[np.ndarray], np.ndarray] = kinds_of
    """The kind of each local day: 0 working, 1 free."""
    slots: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    ticks: int = 0
    tick_at: int = 0
    silence: Silence = field(default_factory=Silence)
    pipeline: Pipeline = field(default_factory=Pipeline)
    speaks_for_all: bool = field(init=False)
    undo: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    """By row: what rules knew of a sensor before they looked at a reading that still waits."""
    placed: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    timed: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    """Sensors of which some rule shows an alert or is about to: theirs is what ticks move on."""
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    caches: list[Cache] = field(default_factory=list)
    """One for each of ``groups``."""
    fields: dict[str, Field] = field(init=False)
    limits: Limits = field(init=False)
    learned: Learned = field(init=False)
    made_of: tuple[np.ndarray, ...] = field(init=False)
    """Of each rule, the places of the metrics that its quantity is made of."""
    compared: tuple[ThresholdRule | None, ...] = field(init=False)
    """Each rule as limits upon a quantity; None for those that have none."""
    overrides: Overrides = field(init=False)
    absences: tuple[tuple[int, AbsenceRule], ...] = field(init=False)
    """The rules that call a sensor silent, with their numbers."""
    declared: tuple[np.ndarray, ...] = field(init=False)
    """Of each rule, which severities it has limits for."""
    nearest: dict[str, float] = field(init=False)
    """The first limit of each threshold rule, by its name."""
    windows: int = field(init=False)
    rings: dict[str, Ring] = field(init=False)
    groups: tuple[Group, ...] = field(init=False)
    reaches: dict[str, int] = field(init=False)
    """How far each rolling quantity reaches back, µs, its last bucket left out."""
    lengths: dict[str, int] = field(init=False)
    begun: dict[str, np.ndarray] = field(init=False)
    """Places of each ring of event time that were ever written."""
    touched: dict[str, np.ndarray] = field(init=False)
    """Those written since the last checkpoint."""

    def __post_init__(self) -> None:
        self.speaks_for_all = self.shard == TELLER and self.stream.name == spokesman()
        self.fields = fields(self.stream)
        self.limits = Limits.of(self.stream)
        self.learned = Learned.of(self.stream)
        self.overrides = Overrides(site_overrides(self.stream), self.stream.metric_names, {})
        self.compared = tuple(_compared(rule) for rule in self.stream.rules)
        rules = enumerate(self.stream.rules)
        self.absences = tuple((n, rule) for n, rule in rules if isinstance(rule, AbsenceRule))
        self.made_of = tuple(_made_of(self.stream, rule) for rule in self.stream.rules)
        self.declared = tuple(_declared(rule) for rule in self.compared)
        self.nearest = {rule.name: nearest(rule) for rule in self.compared if rule}
        self.windows = window_places(self.stream)
        self.rings = rings(self.stream)
        self.groups = groups(self.stream)
        self.reaches = {r.name: self.stream.reach_s(r.name) * US for r in self.stream.rolling}
        self.lengths = {axis: len(names) for axis, names in labels(self.stream).items()}
        self._allocate(FIRST_SENSORS)
        self._place_declared()

    def slots_of(self, sensors: list[str]) -> list[int]:
        """Return the row of each sensor, making rows for new ones."""
        new = dict.fromkeys(name for name in sensors if name not in self.slots)
        if (needed := len(self.names) + len(new)) > len(self.arrays["newest"]):
            self._grow(2 * needed)
        for name in new:
            self._add(name)
        if new:
            self.lay_out_overrides()
        return [self.slots[name] for name in sensors]

    def lay_out_overrides(self) -> None:
        """Make anew what is set for single sensors, when sensors or overrides have changed."""
        self.overrides.lay_out(self.limits, self.slots, len(self.arrays["newest"]))

    def touch(self, axis: str, places: np.ndarray) -> None:
        """Note that these places of a ring have changed."""
        self.begun[axis][places] = True
        self.touched[axis][places] = True

    def widen_seen(self) -> None:
        """Double the room for remembered times."""
        self.arrays[SEEN] = self._copied(SEEN, len(self.arrays["newest"]), 2 * self.seen_width)

    @property
    def seen_width(self) -> int:
        """Return how many readings of one window there is room for."""
        return self.arrays[SEEN].shape[2]

    def take_names(self, names: list[str], seen_width: int) -> None:
        """Begin anew with these sensors and nothing known of them."""
        self.names = names
        self.slots = {name: slot for slot, name in enumerate(names)}
        self._allocate(max(FIRST_SENSORS, len(names)), seen_width)
        for slot, name in enumerate(names):
            self._look_up(slot, name)

    def taken_over(self) -> None:
        """Derive what a restored state does not hold: sensors placed since, whom ticks concern."""
        self._place_declared()
        near = self.arrays["r_since"] != NEVER
        self.timed = near.any(axis=(1, 2)) | (self.arrays["r_level"] > 0).any(axis=1)

    def take_earlier(self) -> None:
        """Derive what a state stored before there was patience and confidence does not hold."""
        a = self.arrays
        a["top"][:], a["p2_at"][:], a["e_at"][:] = a["newest"], a["p1_at"], a["newest"]
        for name in ("used_tick", "newest_tick", "e_tick"):
            a[name][:] = a["last_tick"]
        a["heard"][:] = a["newest"] != NEVER
        a["r_last"][:] = a["r_raised"]

    def _place_declared(self) -> None:
        """Make rows for the sensors that the catalog places in this shard: they may be missed."""
        if self.stream.name in streams():
            self.slots_of(
                [s.id for s in sensors_of(self.stream.name) if shard_of(s.id) == self.shard]
            )

    def _add(self, name: str) -> None:
        slot = self.slots[name] = len(self.names)
        self.names.append(name)
        # whoever has just become known has its full time
        self.arrays["last_tick"][slot] = self.arrays["used_tick"][slot] = self.ticks
        self._look_up(slot, name)

    def _look_up(self, slot: int, name: str) -> None:
        if known := sensor(self.stream.name, name):
            self.placed[slot] = True
            for attribute, values in self.attributes.items():
                values[slot] = known.attributes.get(attribute, np.nan)

    def _grow(self, rows: int) -> None:
        placed, timed, attributes = self.placed, self.timed, self.attributes
        grown = {key: self._copied(key, rows, self.seen_width) for key in self.arrays}
        self._allocate_small(rows)
        self.arrays = grown
        self.placed[: len(placed)], self.timed[: len(timed)] = placed, timed
        for attribute, values in attributes.items():
            self.attributes[attribute][: len(values)] = values

    def _copied(self, key: str, rows: int, seen_width: int) -> np.ndarray:
        """Return a larger copy of an array; places of a ring not in use are not touched."""
        old, new = self.arrays[key], self._empty(key, rows, seen_width)
        by = self.fields[key].by
        for place in np.flatnonzero(self.begun[by]) if by else [...]:
            target, source = new[place], old[place]
            target[tuple(map(slice, source.shape))] = source
        return new

    def _empty(self, key: str, rows: int, seen_width: int) -> np.ndarray:
        f = self.fields[key]
        lengths = self.lengths | {"seen": seen_width}
        shape = (*((lengths[f.by],) if f.by else ()), rows, *(lengths[axis] for axis in f.axes))
        # zeros take no memory until they are written
        return np.full(shape, f.fill, f.dtype) if f.fill else np.zeros(shape, f.dtype)

    def _allocate(self, rows: int, seen_width: int = FIRST_SEEN) -> None:
        places = by_axes(self.stream)
        self.begun = {axis: np.zeros(count, bool) for axis, count in places.items()}
        self.touched = {axis: np.zeros(count, bool) for axis, count in places.items()}
        self.arrays = {key: self._empty(key, rows, seen_width) for key in self.fields}
        self._allocate_small(rows)

    def _allocate_small(self, rows: int) -> None:
        """Make anew what derives from the catalog and from the rest of the state."""
        self.placed, self.timed = np.zeros(rows, bool), np.zeros(rows, bool)
        self.attributes = {a.name: np.full(rows, np.nan) for a in self.stream.attributes}
        self.overrides.lay_out(self.limits, self.slots, rows)
        self.caches = [Cache.empty(rows, len(group.names)) for group in self.groups]


def _made_of(stream: Stream, rule: object) -> np.ndarray:
    """Return the places of the metrics that a rule's quantity is made of."""
    inputs = {r.name: (r.of,) for r in (*stream.rates, *stream.rolling)} | {
        d.name: d.of for d in stream.derived
    }
    wanted, found = [rule.metric] if isinstance(rule, ThresholdRule) else [], set[int]()
    while wanted:
        name = wanted.pop()
        if name in stream.metric_names:
            found.add(stream.metric_names.index(name))
        wanted += inputs.get(name, ())
    return np.array(sorted(found), np.int64)


def _compared(rule: object) -> ThresholdRule | None:
    if isinstance(rule, UnusualRule):
        return rule.upon_spreads()
    return rule if isinstance(rule, ThresholdRule) else None


def _declared(rule: ThresholdRule | None) -> np.ndarray:
    limits = rule.thresholds if rule else ()
    return np.isin(np.arange(1, SEVERITIES + 1), [int(t.severity) for t in limits])
