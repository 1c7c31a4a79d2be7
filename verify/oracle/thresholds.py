"""Threshold rules of the reference on one sensor: readings, ticks, looks that came too early."""

from collections.abc import Collection, Sequence
from copy import deepcopy
from typing import Any

from catalog.lifecycle.day_kinds import kind_of
from catalog.model import Rate, Rolling, Stream, ThresholdRule, UnusualRule
from verify.oracle import rules
from verify.oracle.device import Device, Held
from verify.oracle.quality import US, Checked
from verify.oracle.results import Results, Values
from verify.oracle.rules import Alarm, Change
from verify.oracle.usual import Found, Kind


def made_of(stream: Stream, quantity: str) -> set[str]:
    """Return the measured metrics that a quantity is made of."""
    if quantity in stream.metric_names:
        return {quantity}
    declared: Any = stream.quantity(quantity)
    inputs = (declared.of,) if isinstance(declared, Rate | Rolling) else declared.of
    return set[str]().union(*(made_of(stream, name) for name in inputs))


class Thresholds:
    """The threshold rules of one stream."""

    def __init__(self, stream: Stream, results: Results, kind: Kind = kind_of) -> None:
        self._stream = stream
        self._kind = kind
        self._results = results
        self._rules = [r for r in stream.rules if isinstance(r, ThresholdRule)]

    def look(
        self, device: Device, reading: Checked, quantities: Values, again: Collection[str] = ()
    ) -> None:
        """Look at a reading; only the rules on a quantity made of ``again`` where some is named."""
        for rule in self._rules:
            x = quantities[rule.metric]
            if x is None or (again and not made_of(self._stream, rule.metric) & {*again}):
                continue
            alarm = device.rules.alarms.setdefault(rule.name, Alarm())
            alarm.compared = x = rules.as_compared(rule, x)
            alarm.doubts = reading.reasons(made_of(self._stream, rule.metric))
            level, limits = self._reached(rule, device, alarm, reading.at, x)
            change = (
                rules.rise(rule, alarm, reading.at)
                or rules.fall(rule, alarm, reading.at)
                or rules.confirm(alarm, reading.at, level)
            )
            self._say(device, rule, alarm, change, limits)
        device.rules.looked_at, device.rules.looked_tick = reading.at, reading.tick

    def unusual(self, device: Device, found: Found) -> None:
        """Look at how many usual spreads off a metric was, as at any quantity."""
        rule, x = found.rule.upon_spreads(), found.spreads
        alarm = device.rules.alarms.setdefault(rule.name, Alarm())
        alarm.compared, alarm.doubts = x, ""
        level, limits = self._reached(rule, device, alarm, found.at, x)
        change = (
            rules.rise(rule, alarm, found.at)
            or rules.fall(rule, alarm, found.at)
            or rules.confirm(alarm, found.at, level)
        )
        self._say(device, rule, alarm, change, limits)

    def end_unusual(
        self, device: Device, rule: UnusualRule, kind: str, at: int, reason: str
    ) -> None:
        """End an alert of what was unusual, of which nothing more can be said."""
        alarm = device.rules.alarms.get(rule.name)
        if alarm is None or not alarm.level:
            return
        change = Change(kind, alarm.level, None, at)
        told = {"metric": rule.metric, "value": alarm.compared}
        alarm.level = 0
        alarm.holds_since.clear()
        alarm.over_since.clear()
        wrong = kind == "withdrawn"
        self._put_out(device, rule.upon_spreads(), alarm, change, told, wrong, reason)

    def tick(self, device: Device, ticks: int) -> None:
        """Let time pass for a sensor whose next reading is overdue."""
        passed = ticks - device.rules.looked_tick
        if device.rules.looked_at is None or passed <= self._stream.cadence_s:
            return
        at = device.rules.looked_at + passed * US
        held = device.held if device.held and device.held.before is None else None
        for rule in self._rules:
            alarm = device.rules.alarms.get(rule.name)
            if alarm is None or alarm.compared is None:
                continue
            place = (self._stream, device.name, at, alarm.compared)
            _, limits = rules.worst(rule, *place, 0.0, self._kind)
            change = None
            if held is None:
                change = rules.rise(rule, alarm, at, by_tick=True) or rules.fall(rule, alarm, at)
            elif not self._stays_below(rule, device, held.reading, at):
                change = rules.rise(rule, alarm, at, by_tick=True)
            self._say(device, rule, alarm, change, limits)

    def take_back(self, device: Device, held: Held, alone: Sequence[str], at: int) -> None:
        """Put back what the rules made of a spike remembered before they looked at it."""
        before, now = held.before, device.rules
        assert before is not None
        for rule in self._rules:
            spikes = [m for m in alone if m in made_of(self._stream, rule.metric)]
            alarm = now.alarms.get(rule.name)
            if not spikes or alarm is None:
                continue
            metric = spikes[0]
            then = deepcopy(before.alarms.get(rule.name, Alarm()))
            same = then.level and alarm.level and then.raised_at == alarm.raised_at
            if alarm.level and not same:
                wrong = {"metric": metric, "value": held.reading.values[metric]}
                change = Change("withdrawn", alarm.level, None, at)
                self._put_out(device, rule, alarm, change, wrong, True, "spike")
            elif same and alarm.level != then.level:
                told = {"metric": rule.metric, "value": then.compared}
                change = Change("changed", then.level, alarm.level, at)
                self._put_out(device, rule, alarm, change, told, bool(then.reason), then.reason)
            then.changed_at = alarm.changed_at
            if not same:
                then.level = 0
            now.alarms[rule.name] = then

    def _reached(
        self, rule: ThresholdRule, device: Device, alarm: Alarm, at: int, x: float
    ) -> tuple[int, dict[int, float]]:
        """Count ``for`` and ``clear`` on; return the level reached and the limits in force."""
        place = (self._stream, device.name, at, x)
        level, limits = rules.worst(rule, *place, 0.0, self._kind)
        held, _ = rules.worst(rule, *place, rule.deadband, self._kind)
        rules.count(rule, alarm, at, level, held)
        return level, limits

    def _stays_below(self, rule: ThresholdRule, device: Device, held: Checked, at: int) -> bool:
        """Tell whether a held reading speaks against raising a rule on what it measures."""
        if rule.metric not in self._stream.metric_names:
            return False
        x = held.values.get(rule.metric)
        if x is None or not held.is_usable(rule.metric):
            return True
        x = rules.as_compared(rule, x)
        return rules.worst(rule, self._stream, device.name, at, x, 0.0, self._kind)[0] == 0

    def _say(
        self,
        device: Device,
        rule: ThresholdRule,
        alarm: Alarm,
        change: Change | None,
        limits: dict[int, float],
    ) -> None:
        if change is None:
            return
        limit = None if change.kind == "cleared" else limits.get(change.severity)
        told = {"metric": rule.metric, "value": alarm.compared, "threshold": limit}
        self._put_out(device, rule, alarm, change, told, bool(alarm.reason), alarm.reason)

    def _put_out(
        self,
        device: Device,
        rule: ThresholdRule,
        alarm: Alarm,
        change: Change,
        told: dict[str, Any],
        doubted: bool,
        reason: str,
    ) -> None:
        at = later(alarm, change.at or 0)
        if change.kind == "raised":
            alarm.raised_at = at
        self._results.change(
            stream=self._stream.name,
            rule=rule.name,
            sensor=device.name,
            kind=change.kind,
            severity=change.severity,
            previous=change.previous,
            raised_at=alarm.raised_at,
            at=at,
            confidence="unconfirmed" if doubted else "confirmed",
            reason=reason,
            **told,
        )


def later(alarm: Alarm, at: int) -> int:
    """Return the time of an alarm's change: at least 1 µs after its change before."""
    if alarm.changed_at is not None:
        at = max(at, alarm.changed_at + 1)
    alarm.changed_at = at
    return at
