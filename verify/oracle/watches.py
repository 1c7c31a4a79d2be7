"""Health and absence of the reference: what is said of sensors, not of the city."""

from typing import Any

from catalog.model import AbsenceRule, HealthRule, Stream, StreamAbsenceRule, WatchRule
from catalog.platform import PIPELINE, PLATFORM
from catalog.registry import streams
from catalog.ticks import Pulse, Tick
from verify.oracle.device import Device
from verify.oracle.quality import US, Checked
from verify.oracle.results import Results
from verify.oracle.rules import Alarm
from verify.oracle.silence import Silence
from verify.oracle.thresholds import later


class Watches:
    """The rules of health and of absence of one partition."""

    def __init__(self, stream: Stream, shard: int, results: Results) -> None:
        self._stream = stream
        self._results = results
        self.silence = Silence(stream, shard)
        self._speaks_for_all = shard == 0 and stream.name == sorted(streams())[0]
        self._still_since = 0
        self._ticks = 0
        self._tick_at = 0

    # health

    def health(self, device: Device, reading: Checked) -> None:
        """Take what a newest reading says of its sensor's health."""
        for metric in self._stream.metric_names:
            is_there = reading.values.get(metric) is not None
            if not is_there and metric not in device.sent:
                continue
            device.sent.add(metric)
            if is_there and not reading.is_sick(metric):
                device.bad_since.pop(metric, None)
            else:
                device.bad_since.setdefault(metric, reading.at)
        for rule in self._stream.rules:
            if isinstance(rule, HealthRule):
                self._unwell(device, rule, reading)

    def _unwell(self, device: Device, rule: HealthRule, reading: Checked) -> None:
        alarm, at = device.watches.setdefault(rule.name, Alarm()), reading.at
        if not alarm.level:
            device.well_since = None
            long = [s for s in device.bad_since.values() if at - s >= rule.for_s * US]
            if not long or self._is_silent(device):
                return
            since, order = min(long), self._stream.metric_names
            metric = next(m for m in order if device.bad_since.get(m) == since)
            told = {"metric": metric, "value": reading.values.get(metric)}
            self._put_out(device, rule, alarm, "raised", at, **told)
        elif device.bad_since:
            device.well_since = None
        else:
            if device.well_since is None:
                device.well_since = at
            if at - device.well_since >= rule.clear_s * US:
                self._put_out(device, rule, alarm, "cleared", at)

    def _is_silent(self, device: Device) -> bool:
        names = [rule.name for rule in self._stream.rules if isinstance(rule, AbsenceRule)]
        return any(name in device.watches and device.watches[name].level for name in names)

    # absence

    def heard(self, device: Device) -> None:
        """Take that a sensor has sent something usable."""
        for rule in self._stream.rules:
            if isinstance(rule, AbsenceRule):
                alarm = device.watches.setdefault(rule.name, Alarm())
                if alarm.level:
                    self._put_out(device, rule, alarm, "cleared", self._tick_at * US)

    def tick(self, tick: Tick, ticks: int, devices: list[Device]) -> None:
        """Evaluate, at a tick, whether anything comes, then the stream, then its sensors."""
        self._ticks, self._tick_at = ticks, tick.at
        self._pulse(tick.pulse)
        placed = [device for device in devices if device.is_placed]
        arrivals = [d.arrived_tick for d in placed if d.arrived_tick is not None]
        word = self.silence.word(arrivals, ticks, tick.at)
        if word is not None:
            self._results.words.append(word)
        for rule in self._stream.rules:
            if isinstance(rule, StreamAbsenceRule):
                change = self.silence.alert(rule, ticks, tick.at * US)
                if change is not None:
                    self._whole(self._stream.name, rule, *change)
        quiet = self.silence.hushed_at is not None or self.silence.nothing_comes
        if self.silence.is_heard_of and not quiet:
            for device in placed:
                self._absent(device)

    def _pulse(self, pulse: Pulse | None) -> None:
        kind = self.silence.feel(pulse, self._ticks)
        if kind and self._speaks_for_all:
            if kind == "raised":
                self._still_since = self._tick_at * US
            self._whole(PLATFORM, PIPELINE, kind, self._still_since)

    def _absent(self, device: Device) -> None:
        since = max(device.usable_tick, self.silence.heard_again_at)
        for rule in self._stream.rules:
            if isinstance(rule, AbsenceRule) and self._ticks - since >= rule.after_s:
                alarm = device.watches.setdefault(rule.name, Alarm())
                if not alarm.level:
                    self._no_more_unwell(device)
                    why = _why(device)
                    self._put_out(device, rule, alarm, "raised", self._tick_at * US, reason=why)

    def _no_more_unwell(self, device: Device) -> None:
        """End what is said of the health of a sensor that is silent now."""
        for rule in self._stream.rules:
            alarm = device.watches.get(rule.name)
            if isinstance(rule, HealthRule) and alarm and alarm.level:
                at = self._tick_at * US
                self._put_out(device, rule, alarm, "cleared", at, reason="silent")

    # what goes out

    def _put_out(
        self,
        device: Device,
        rule: AbsenceRule | HealthRule,
        alarm: Alarm,
        kind: str,
        at: int,
        **told: Any,
    ) -> None:
        at = later(alarm, at)
        alarm.level = int(rule.severity) if kind == "raised" else 0
        alarm.raised_at = at if kind == "raised" else alarm.raised_at
        self._results.change(
            stream=self._stream.name,
            rule=rule.name,
            sensor=device.name,
            kind=kind,
            severity=int(rule.severity),
            raised_at=alarm.raised_at,
            at=at,
            **told,
        )

    def _whole(self, stream: str, rule: WatchRule, kind: str, raised_at: int) -> None:
        self._results.change(
            stream=stream,
            rule=rule.name,
            sensor="*",
            kind=kind,
            severity=int(rule.severity),
            raised_at=raised_at,
            at=self._tick_at * US,
        )


def _why(device: Device) -> str:
    if device.arrived_tick is None:
        return "never"
    return device.trouble or "nothing"
