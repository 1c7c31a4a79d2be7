"""The plain reference of the worker: one partition, one reading at a time, dicts and loops.

Written from docs/architecture.md "What the worker computes" and the declarations; it shares only
the catalog with the engine. Slow on purpose: it keeps everything it has ever seen.
"""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

from catalog.contracts import FLAG_SUSPECT
from catalog.lifecycle.day_kinds import kind_of
from catalog.model import Stream
from catalog.overrides import Override
from catalog.registry import streams
from catalog.sensors import sensor as declared_sensor
from catalog.sensors import sensors_of
from catalog.ticks import Tick, Word
from catalog.topics import shard_of
from verify.oracle import quality, rolling, unheard
from verify.oracle.device import Device, Held
from verify.oracle.minutes import Minutes
from verify.oracle.overrides import Overrides
from verify.oracle.quality import US, Checked
from verify.oracle.results import Flag, Reading, Results, Values, WindowKey
from verify.oracle.testing import Testing
from verify.oracle.thresholds import Thresholds
from verify.oracle.usual import Baselines, Kind
from verify.oracle.watches import Watches

__all__ = ["Flag", "Reading", "Reference", "Results", "Values", "WindowKey"]

SKEW_US = 2 * US
"""How much later than its frame's arrival a reading may be."""
NEAR = 3
"""Cadences between two readings that say something of a jump from one to the other."""
AHEAD = 8
"""So many readings from ahead are remembered by the times that they named."""


class Reference:
    """One partition of one stream."""

    def __init__(self, stream: Stream, shard: int = 0, kind: Kind = kind_of) -> None:
        self.stream = stream
        self._baselines = Baselines(stream, kind)
        self._overrides = Overrides(stream)
        self.results = Results()
        self._patience = int(1.5 * stream.cadence_s) + 1
        self._reach = NEAR * stream.cadence_s * US
        self._tests = Testing(stream, self._overrides, self._reach)
        self._thresholds = Thresholds(stream, self.results, kind)
        self._minutes = Minutes(stream, self.results)
        self._watches = Watches(stream, shard, self.results)
        self._devices: dict[str, Device] = {}
        self._ticks = 0
        self._tick_at = 0
        self._shard: int | None = shard
        """The shard whose sensors are to be known as soon as the first record is worked off."""

    def frame(self, readings: list[Reading], received_at: int | None = None) -> None:
        """Work off one record's readings that keep the contract, in their order.

        ``received_at`` is when the frame was received (epoch µs); None believes every time.
        """
        self._begin()
        before = Counter[str]()
        for name, own, values in readings:
            device = self._device(name)
            device.arrived_tick = self._ticks
            self._reading(device, own, values, received_at, before[name])
            before[name] += 1
        for name in before:
            self._minutes.begun(self._devices[name])

    def tick(self, tick: Tick) -> None:
        """Take a tick; a repeated or older one changes nothing."""
        if tick.at <= self._tick_at:
            return
        self._tick_at = tick.at
        self._ticks += 1
        self._begin()
        self._overridden(self._overrides.end(tick.at))
        for device in self._devices.values():
            self._minutes.over(device, tick.at, self._ticks)
            self._wait_no_longer(device)
            self._thresholds.tick(device, self._ticks)
            unheard.end(device, self._baselines, self._thresholds, self._ticks)
        self._watches.tick(tick, self._ticks, list(self._devices.values()))

    def hear(self, word: Word) -> None:
        """Take what another shard has told."""
        self._begin()
        self._watches.silence.hear(word)

    def override(self, override: Override) -> None:
        """Take what a person has set for a sensor."""
        self._begin()
        self._device(override.sensor)
        if override.metric in self.stream.metric_names and self._overrides.take(override):
            self._overridden([override])

    def _overridden(self, changed: list[Override]) -> None:
        for override in changed:
            self._overrides.apply(self._devices[override.sensor], self._baselines)
            self._devices[override.sensor].traces[override.metric].outside = 0.0

    def _begin(self) -> None:
        """Know the sensors that are placed here from the first record on."""
        if self._shard is None or self.stream.name not in streams():
            return
        for placed in sensors_of(self.stream.name):
            if shard_of(placed.id) == self._shard:
                self._device(placed.id)
        self._shard = None

    def _device(self, name: str) -> Device:
        if name not in self._devices:
            placed = declared_sensor(self.stream.name, name) is not None
            self._devices[name] = Device(name, placed, usable_tick=self._ticks)
            self._overrides.apply(self._devices[name], self._baselines)
        return self._devices[name]

    # one reading

    def _reading(
        self, device: Device, own: int, values: Values, received_at: int | None, before: int
    ) -> None:
        """Give a reading its time, and tell whether it is a copy, late, behind or newest."""
        at = own
        if received_at is not None and own > received_at + SKEW_US:
            if own in device.ahead:
                self._copy(device)
                return
            device.ahead = [*device.ahead, own][-AHEAD:]
            self._mark(device, own, "clock")
            at = received_at + before
        if device.latest is not None and at < device.latest - self.stream.lateness_s * US:
            self.results.late += 1
            device.trouble = "late"
            self._mark(device, at, "late")
            return
        if at in device.seen:
            self._copy(device)
            return
        device.seen.add(at)
        device.filled_tick = self._ticks
        self.results.accepted += 1
        reading = Checked(at, self._ticks, values)
        device.latest = at if device.latest is None else max(device.latest, at)
        if device.newest is None or at > device.newest:
            self._newest(device, reading)
        elif self._ticks - device.newest_tick >= self._patience:
            self._mark(device, at, "clock")
            self._newest(device, reading)
        else:
            self._behind(device, reading)
        self._is_usable(device, reading)

    def _behind(self, device: Device, reading: Checked) -> None:
        self._tests.alone(device, reading)
        self._tests.relations(device, reading)
        self._flags(device, reading)
        self._minutes.count(device, reading)
        self._minutes.add(device, reading, self._quantities(device, reading))

    def _newest(self, device: Device, reading: Checked) -> None:
        self._tests.alone(device, reading)
        if device.held is not None:
            self._decide(device, device.held, reading)
        if device.newest is not None and reading.at < device.newest:
            device.move_back(device.newest - reading.at)
        elif device.newest is not None:
            device.gaps.append(reading.at - device.newest)
        device.newest, device.newest_tick = reading.at, self._ticks
        self._tests.newest(device, reading)
        self._flags(device, reading)
        unheard.withdraw(device, self._baselines, self._thresholds, reading)
        self._minutes.count(device, reading)
        self._watches.health(device, reading)
        jumped = [metric for metric, tests in reading.tests.items() if "jump" in tests]
        if jumped:
            device.held = Held(reading, jumped)
        else:
            self._work_off(device, reading)

    def _work_off(
        self, device: Device, reading: Checked, *, rules: bool = True, again: Sequence[str] = ()
    ) -> None:
        quantities = self._quantities(device, reading)
        self._minutes.add(device, reading, quantities)
        for found in self._baselines.take(device.usual, reading):
            self._thresholds.unusual(device, found)
        if rules:
            self._thresholds.look(device, reading, quantities, again)

    def _is_usable(self, device: Device, reading: Checked) -> None:
        if any(reading.is_usable(metric) for metric in self.stream.metric_names):
            device.usable_tick = self._ticks
            device.trouble = ""
            self._watches.heard(device)
        else:
            device.trouble = "unusable"

    def _copy(self, device: Device) -> None:
        self.results.duplicates += 1
        device.trouble = "unusable"

    # patience

    def _decide(self, device: Device, held: Held, following: Checked) -> None:
        """Decide by the next reading whether a held one was alone, and work it off."""
        reading, device.held = held.reading, None
        is_near = following.at - reading.at <= self._reach
        alone: list[str] = []
        for metric in self.stream.metrics:
            if metric.name not in held.jumped:
                continue
            trace, tests = device.traces[metric.name], reading.tests[metric.name]
            del tests["jump"]
            x, back = reading.values[metric.name], following.values.get(metric.name)
            if x is None or back is None or not is_near:
                continue
            if quality.is_failed(following.tests[metric.name]):
                continue
            flag = quality.spike(metric, trace, x, back)
            if flag is not None:
                alone.append(metric.name)
                tests["spike"] = flag
                quality.forget(trace)
                self._flag(device, reading.at, metric.name, "spike", flag, x)
        if alone and held.before is not None:
            self._thresholds.take_back(device, held, alone, following.at)
        again = alone if held.before is not None else []
        self._work_off(device, reading, rules=bool(alone) or held.before is None, again=again)

    def _wait_no_longer(self, device: Device) -> None:
        """Let rules look, once, at a held reading after which nothing has come in time."""
        held = device.held
        if held is None or held.before is not None:
            return
        if self._ticks - held.reading.tick > self.stream.cadence_s:
            held.before = device.remembered()
            buckets = deepcopy(device.buckets)
            self._thresholds.look(device, held.reading, self._quantities(device, held.reading))
            device.buckets = buckets

    # quantities

    def _quantities(self, device: Device, reading: Checked) -> Values:
        """Return measured, rolling and derived quantities of usable values, None for none."""
        names = self.stream.metric_names
        known: Values = {m: reading.values[m] if reading.is_usable(m) else None for m in names}
        known |= quality.rates(self.stream, device.traces, reading.at, known)
        return rolling.quantities(self.stream, device.buckets, device.gaps, reading.at, known)

    # flags

    def _flags(self, device: Device, reading: Checked) -> None:
        for metric, tests in reading.tests.items():
            for test, flag in tests.items():
                self._flag(device, reading.at, metric, test, flag, reading.values[metric])

    def _flag(
        self, device: Device, at: int, metric: str, test: str, flag: int, value: float | None
    ) -> None:
        self.results.flags.add((self.stream.name, device.name, at, metric, test, flag, value))

    def _mark(self, device: Device, at: int, test: str) -> None:
        """Flag a reading as a whole."""
        self._flag(device, at, "*", test, FLAG_SUSPECT, None)
