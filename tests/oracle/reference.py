"""The plain reference of the worker: one partition, one reading at a time, dicts and loops.

Written from docs/architecture.md "What the worker computes" and the declarations; it shares only
the catalog with the engine. Slow on purpose: it keeps everything it has ever seen.
"""

from dataclasses import dataclass, field
from typing import Any

from catalog.city.sensors import sensor as declared_sensor
from catalog.contracts import FLAG_SUSPECT, WINDOW_S, Transition
from catalog.frames import Pulse, Tick, Word
from catalog.model import (
    AbsenceRule,
    HealthRule,
    Relation,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    WatchRule,
)
from catalog.platform import PIPELINE, PLATFORM
from catalog.registry import streams
from catalog.single import derive, is_broken
from tests.oracle import quality, rolling, rules
from tests.oracle.quality import US, Finding, Trace
from tests.oracle.rules import Alarm
from tests.oracle.silence import Silence

WINDOW_US = WINDOW_S * US
TICK_GRACE_US = 2 * US

Values = dict[str, float | None]
Reading = tuple[str, int, Values]
"""(sensor, observed_at in epoch µs, metric -> value, None where it is missing)."""

WindowKey = tuple[str, str, int, int]
"""(stream, sensor, window start in epoch µs, revision)."""

Flag = tuple[str, str, int, str, str, int, float | None]
"""(stream, sensor, observed_at, metric, test, flag, value), as on the flags topic."""


@dataclass
class Results:
    """Everything the worker must have put out for a log."""

    windows: dict[WindowKey, dict[str, Any]] = field(default_factory=dict)
    flags: set[Flag] = field(default_factory=set)
    transitions: dict[str, Transition] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    late: int = 0

    def add(self, other: "Results") -> None:
        """Take in the results of another partition."""
        self.windows |= other.windows
        self.flags |= other.flags
        self.transitions |= other.transitions
        self.words += other.words
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.late += other.late


@dataclass
class Statistic:
    """One quantity inside one window."""

    n: int = 0
    good: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None
    last: float | None = None
    last_at: int = 0

    def add(self, at: int, value: float, good: bool) -> None:
        self.n += 1
        if not good:
            return
        self.good += 1
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
class Device:
    """All that is known of one sensor."""

    name: str
    last_tick: int
    filled_tick: int = 0
    """Tick after which the last reading came that counted."""
    newest: int | None = None
    seen: set[int] = field(default_factory=set)
    traces: dict[str, Trace] = field(default_factory=dict)
    windows: dict[int, Window] = field(default_factory=dict)
    changed: dict[int, Window] = field(default_factory=dict)
    """Windows that have changed since they were last put out."""
    buckets: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    gaps: list[int] = field(default_factory=list)
    bad_since: dict[str, int] = field(default_factory=dict)
    """Metric to when the first of its values came that was not good and none good after it."""
    well_since: int | None = None


class Reference:
    """One partition of one stream."""

    def __init__(self, stream: Stream, shard: int = 0) -> None:
        self.stream = stream
        self._silence = Silence(stream, shard)
        self._speaks_for_all = shard == 0 and stream.name == sorted(streams())[0]
        self._still_since: int | None = None
        self.results = Results()
        self._devices: dict[str, Device] = {}
        self._ticks = 0
        self._tick_at = 0

    def frame(self, readings: list[Reading]) -> None:
        """Work off one record's readings that keep the contract, in their order."""
        met = dict.fromkeys(name for name, _, _ in readings)
        for name in met:
            if name not in self._devices:
                self._devices[name] = Device(name, self._ticks)
            self._arrived(self._devices[name])
        for name, at, values in readings:
            self._reading(self._devices[name], at, values)
        for name in met:
            self._publish_over(self._devices[name])

    def tick(self, tick: Tick) -> None:
        """Take a tick; a repeated or older one changes nothing."""
        at = tick.at
        if at <= self._tick_at:
            return
        self._tick_at = at
        self._ticks += 1
        for device in self._devices.values():
            for window in list(device.changed.values()):
                over = window.start + WINDOW_US + TICK_GRACE_US <= at * US
                if over and device.filled_tick < self._ticks - 1:
                    self._publish(device, window)
        self._feel(tick.pulse)
        self._listen()

    def hear(self, word: Word) -> None:
        """Take what another shard has told."""
        self._silence.hear(word)

    # one reading

    def _reading(self, device: Device, at: int, values: Values) -> None:
        lateness_us = self.stream.lateness_s * US
        if device.newest is not None and at < device.newest - lateness_us:
            self.results.late += 1
            self._flag(device, at, "*", ("late", FLAG_SUSPECT, at, float("nan")))
            return
        if at in device.seen:
            self.results.duplicates += 1
            return
        device.seen.add(at)
        device.filled_tick = self._ticks
        self.results.accepted += 1
        newest = device.newest is None or at > device.newest
        if newest:
            if device.newest is not None:
                device.gaps.append(at - device.newest)
            device.newest = at
        good = self._judge(device, at, values, newest)
        quantities = self._quantities(device, at, good)
        self._add_to_window(device, at, values, good, quantities)
        if newest:
            self._health(device, at, values, good)
            self._evaluate(device, at, quantities)

    def _judge(self, device: Device, at: int, values: Values, newest: bool) -> Values:
        """Return the values that are good; put out a flag for every test that is not passed."""
        good: Values = {}
        for metric in self.stream.metrics:
            x = values.get(metric.name)
            good[metric.name] = x
            if x is None:
                continue
            if newest:
                trace = device.traces.setdefault(metric.name, Trace())
                found = quality.judge(metric, trace, at, x)
            else:
                found = quality.judge_late(metric, at, x)
            for finding in found:
                self._flag(device, finding[2], metric.name, finding)
                if finding[0] != "spike":
                    good[metric.name] = None
        broken = [r for r in self.stream.relations if self._is_broken(device, r, good)]
        doubted = {(r.name, r.flag, m) for r in broken for m in r.marks if good[m] is not None}
        for test, flag, name in doubted:
            self._flag(device, at, name, (test, flag, at, good[name] or 0.0))
        for _, _, name in doubted:
            good[name] = None
        return good

    def _is_broken(self, device: Device, relation: Relation, good: Values) -> bool:
        known = declared_sensor(self.stream.name, device.name)
        return is_broken(relation, {**(known.attributes if known else {}), **good})

    def _quantities(self, device: Device, at: int, good: Values) -> Values:
        """Return measured, rolling and derived quantities, None where there is none."""
        known = dict(good)
        period = rolling.period_us(self.stream, device.gaps)
        for declared in self.stream.rolling:
            x = known[declared.of]
            buckets = device.buckets.setdefault(declared.name, {})
            known[declared.name] = rolling.roll(declared, buckets, period, at, x)
        for derived in self.stream.derived:
            known[derived.name] = derive(derived, known, at)
        return known

    def _add_to_window(
        self, device: Device, at: int, values: Values, good: Values, quantities: Values
    ) -> None:
        start = at // WINDOW_US * WINDOW_US
        window = device.windows.setdefault(start, Window(start))
        window.rows += 1
        device.changed[start] = window
        for name, quantity in quantities.items():
            value = values.get(name) if name in good else quantity
            statistic = window.statistics.setdefault(name, Statistic())
            if value is not None:
                statistic.add(at, value, quantity is not None)

    def _evaluate(self, device: Device, at: int, quantities: Values) -> None:
        for rule in self.stream.rules:
            if isinstance(rule, ThresholdRule):
                x = quantities[rule.metric]
                if x is not None:
                    self._threshold(device, rule, at, x)

    def _threshold(self, device: Device, rule: ThresholdRule, at: int, x: float) -> None:
        alarm = device.alarms.setdefault(rule.name, Alarm())
        x = rules.as_compared(rule, x)
        place = (self.stream, device.name, at, x)
        level, limits = rules.worst(rule, *place, 0.0)
        held, _ = rules.worst(rule, *place, rule.deadband)
        change = rules.step(rule, alarm, at, level, held)
        if change is not None:
            kind, severity, previous = change
            threshold = None if kind == "cleared" else limits.get(severity)
            self._transition(
                device.name,
                rule.name,
                kind=kind,
                severity=severity,
                previous=previous,
                raised_at=alarm.raised_at,
                at=at,
                metric=rule.metric,
                value=x,
                threshold=threshold,
            )

    # health

    def _health(self, device: Device, at: int, values: Values, good: Values) -> None:
        for metric in self.stream.metric_names:
            if good[metric] is not None:
                device.bad_since.pop(metric, None)
            elif values.get(metric) is not None or metric in device.traces:
                device.bad_since.setdefault(metric, at)
        for rule in self.stream.rules:
            if isinstance(rule, HealthRule):
                self._unwell(device, rule, at, values)

    def _unwell(self, device: Device, rule: HealthRule, at: int, values: Values) -> None:
        alarm = device.alarms.setdefault(rule.name, Alarm())
        fields: dict[str, Any] = {}
        if not alarm.level:
            device.well_since = None
            long = [s for s in device.bad_since.values() if at - s >= rule.for_s * US]
            if not long:
                return
            since = min(long)
            order = self.stream.metric_names
            metric = next(m for m in order if device.bad_since.get(m) == since)
            alarm.level, alarm.raised_at, kind = int(rule.severity), at, "raised"
            fields = {"metric": metric, "value": values.get(metric)}
        else:
            if device.bad_since:
                device.well_since = None
                return
            if device.well_since is None:
                device.well_since = at
            if at - device.well_since < rule.clear_s * US:
                return
            alarm.level, kind = 0, "cleared"
        self._transition(
            device.name,
            rule.name,
            kind=kind,
            severity=int(rule.severity),
            previous=None,
            raised_at=alarm.raised_at,
            at=at,
            **fields,
        )

    # silence

    def _arrived(self, device: Device) -> None:
        device.last_tick = self._ticks
        for rule, alarm in self._absences(device):
            if alarm.level:
                self._absence(device.name, rule, alarm.raised_at, "cleared")
                alarm.level = 0

    def _feel(self, pulse: Pulse | None) -> None:
        """Judge, at a tick, whether anything comes from any stream."""
        kind = self._silence.feel(pulse, self._ticks)
        if not kind or not self._speaks_for_all:
            return
        if kind == "raised":
            self._still_since = self._tick_at * US
        self._absence("*", PIPELINE, self._still_since or 0, kind, stream=PLATFORM)

    def _listen(self) -> None:
        """Judge, at a tick, whether sensors or the whole stream are silent."""
        placed = [d for d in self._devices.values() if declared_sensor(self.stream.name, d.name)]
        word = self._silence.word([d.last_tick for d in placed], self._ticks, self._tick_at)
        if word is not None:
            self.results.words.append(word)
        for rule in self.stream.rules:
            if isinstance(rule, StreamAbsenceRule):
                change = self._silence.alert(rule, self._ticks, self._tick_at * US)
                if change is not None:
                    self._absence("*", rule, change[1], change[0])
        if self._silence.hushed_at is None and not self._silence.nothing_comes:
            for device in placed:
                self._silent(device)

    def _silent(self, device: Device) -> None:
        since = max(device.last_tick, self._silence.heard_again_at)
        for rule, alarm in self._absences(device):
            if not alarm.level and self._ticks - since >= rule.after_s:
                alarm.level, alarm.raised_at = int(rule.severity), self._tick_at * US
                self._absence(device.name, rule, alarm.raised_at, "raised")

    def _absences(self, device: Device) -> list[tuple[AbsenceRule, Alarm]]:
        return [
            (rule, device.alarms.setdefault(rule.name, Alarm()))
            for rule in self.stream.rules
            if isinstance(rule, AbsenceRule)
        ]

    def _absence(
        self, subject: str, rule: WatchRule, raised_at: int, kind: str, stream: str = ""
    ) -> None:
        self._transition(
            subject,
            rule.name,
            kind=kind,
            severity=int(rule.severity),
            previous=None,
            raised_at=raised_at,
            at=self._tick_at * US,
            stream=stream or self.stream.name,
        )

    # what goes out

    def _publish_over(self, device: Device) -> None:
        current = (device.newest or 0) // WINDOW_US * WINDOW_US
        for window in list(device.changed.values()):
            if window.start < current or window.revision:
                self._publish(device, window)

    def _publish(self, device: Device, window: Window) -> None:
        del device.changed[window.start]
        window.revision += 1
        row: dict[str, Any] = {"n": window.rows}
        for name in self.stream.aggregate_names:
            s = window.statistics.get(name, Statistic())
            row[f"{name}_n"], row[f"{name}_good"] = s.n, s.good
            row[f"{name}_sum"] = s.sum if s.good else None
            row[f"{name}_min"], row[f"{name}_max"], row[f"{name}_last"] = s.min, s.max, s.last
        key = (self.stream.name, device.name, window.start, window.revision)
        self.results.windows[key] = row

    def _flag(self, device: Device, at: int, metric: str, finding: Finding) -> None:
        test, flag, _, value = finding
        shown = None if value != value else value
        self.results.flags.add((self.stream.name, device.name, at, metric, test, flag, shown))

    def _transition(self, subject: str, rule: str, **fields: Any) -> None:
        told: dict[str, Any] = {"stream": self.stream.name} | fields
        made = rules.transition(rule=rule, sensor=subject, **told)
        self.results.transitions[made.id] = made
