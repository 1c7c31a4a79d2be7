"""What is usual, in the reference: one sensor, one metric, one beat at a time."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.model import AbsenceRule, Stream, UnusualRule
from catalog.site import offset_us
from verify.oracle.quality import SICK, US, Checked, name_of

BEAT_US = 300 * US
HOUR_US = 3600 * US
DAYS_FADE, HOURS_FADE, ALL_FADE = 0.1, 0.1, 0.01
LEVEL_BOUND, OFF_BOUND = 3.0, 3.0
COMMON_DAYS = 8.0
FIRST_JUDGED, FIRST_BOUND = 24, 5
COUNTED = 200
TO_SPREAD = 1.2533
SMALLEST_STEPS, SMALLEST_SHARE = 0.3, 0.01
Kind = Callable[[int], int]


@dataclass
class Digits:
    """In which step a sensor's values come, by the changes from beat to beat."""

    step: int = 0
    """In units of the last digit; 0 while it is not known."""
    divisor: int = 0
    changes: int = 0
    sample: float | None = None

    def show(self, x: float, unit: float) -> None:
        """Take the first value of a beat."""
        before, self.sample = self.sample, x
        change = 0 if before is None else round(abs(x - before) / unit)
        if not 0 < change < 2**31:
            return
        self.divisor, self.changes = math.gcd(self.divisor, change), self.changes + 1
        if self.changes >= 100:
            self.step, self.divisor, self.changes = self.divisor, 0, 0


@dataclass
class Learned:
    """What is known of one metric of one sensor."""

    levels: dict[tuple[int, int], float] = field(default_factory=dict)
    """Usual value by kind of day and hour; and of how many days it is known."""
    days: dict[tuple[int, int], int] = field(default_factory=dict)
    off_by_hour: dict[int, float] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    off: float = 0.0
    judged: int = 0
    values: list[float] = field(default_factory=list)
    """Of the beat that goes on."""
    means: list[float] = field(default_factory=list)
    """Of the hour that goes on."""
    offs: list[float] = field(default_factory=list)
    step: float = 0.0
    """The step in which its values come, where somebody has said so."""
    digits: Digits = field(default_factory=Digits)
    smooth: float | None = None
    last_beat: int | None = None


@dataclass
class Usual:
    """What is known of one sensor."""

    beat: int | None = None
    hour: int | None = None
    metrics: dict[str, Learned] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """How many usual spreads off a metric was in a beat that ended at a time."""

    rule: UnusualRule
    at: int
    spreads: float


class Baselines:
    """The baselines of one stream."""

    def __init__(self, stream: Stream, kind: Kind) -> None:
        self.rules = [r for r in stream.rules if isinstance(r, UnusualRule)]
        self._stream = stream
        self._kind = kind
        self._beat_us = max(BEAT_US, stream.cadence_s * US)

    def take(self, usual: Usual, reading: Checked) -> list[Found]:
        """Count a reading; return what the beat that ends with it says."""
        if not self.rules:
            return []
        found: list[Found] = []
        first, beat = False, reading.at // self._beat_us
        if beat != usual.beat:
            if usual.beat is not None:
                found = self._finish(usual, usual.beat)
            usual.beat = beat
            first = True
        for rule in self.rules:
            x, known = reading.values.get(rule.metric), self._learned(usual, rule)
            sick = any(name_of(t) in SICK for t in reading.tests.get(rule.metric, {}))
            if x is not None and reading.is_usable(rule.metric) and not sick:
                known.values.append(x)
                if first:
                    known.digits.show(x, resolution(self._stream, rule))
        return found

    def is_unheard(self, usual: Usual, rule: UnusualRule, now: int) -> bool:
        """Tell whether at a time (µs) nothing has come for too long to go on judging by."""
        known = self._learned(usual, rule)
        last = usual.beat if known.values else known.last_beat
        silent = [r.after_s * US for r in self._stream.rules if isinstance(r, AbsenceRule)]
        longest = max([3 * self._beat_us, *silent])
        return last is not None and now - (last + 1) * self._beat_us >= longest

    def set_step(self, usual: Usual, metric: str, step: float) -> None:
        """Note the step in which a sensor's values come."""
        for rule in self.rules:
            if rule.metric == metric:
                self._learned(usual, rule).step = step

    def _learned(self, usual: Usual, rule: UnusualRule) -> Learned:
        return usual.metrics.setdefault(rule.name, Learned())

    def _finish(self, usual: Usual, beat: int) -> list[Found]:
        known = {rule.name: self._learned(usual, rule) for rule in self.rules}
        if not any(k.values for k in known.values()):
            return []
        begin = beat * self._beat_us + offset_us()
        if usual.hour != begin // HOUR_US:
            if usual.hour is not None:
                for rule in self.rules:
                    self._learn(rule, known[rule.name], usual.hour)
            for k in known.values():
                k.means, k.offs = [], []
            usual.hour = begin // HOUR_US
        found = (self._beat(rule, known[rule.name], beat, begin) for rule in self.rules)
        return [f for f in found if f is not None]

    def _beat(self, rule: UnusualRule, known: Learned, beat: int, begin: int) -> Found | None:
        if not known.values:
            return None
        x = scaled(self._stream, rule, added(known.values) / len(known.values))
        known.values = []
        known.means.append(x)
        expected = self._expected(known, begin)
        if expected is None:
            return None
        off = self._smooth(rule, known, beat, x - expected)
        known.offs.append(abs(off))
        if known.judged < FIRST_JUDGED:
            return None
        least = smallest(self._stream, rule, self._step(rule, known), expected)
        spread = max(spread_at(known, begin // HOUR_US % 24), least)
        spreads = off / spread
        spreads = {"above": spreads, "below": -spreads, "both": abs(spreads)}[rule.direction]
        return Found(rule, (beat + 1) * self._beat_us, spreads)

    def _step(self, rule: UnusualRule, known: Learned) -> float:
        """Return the step in which the sensor's values come; 0 where it shows none of its own."""
        digits = known.digits.step
        return max(known.step, digits * resolution(self._stream, rule) if digits > 1 else 0.0)

    def _expected(self, known: Learned, begin: int) -> float | None:
        """Return the usual value in a beat's middle, between the middles of two hours."""
        middle = begin + self._beat_us // 2 - HOUR_US // 2
        share = middle % HOUR_US / HOUR_US
        kind, hour = self._kind(begin // HOUR_US // 24), middle // HOUR_US % 24
        before = known.levels.get((kind, hour))
        after = known.levels.get((kind, (hour + 1) % 24))
        if before is None or after is None:
            return None
        return (1.0 - share) * before + share * after

    def _smooth(self, rule: UnusualRule, known: Learned, beat: int, off: float) -> float:
        if known.smooth is None or known.last_beat is None:
            known.smooth = off
        else:
            passed = float(max(1, beat - known.last_beat) * self._beat_us)
            weight = passed / (passed + rule.window_s * US)
            known.smooth += weight * (off - known.smooth)
        known.last_beat = beat
        return known.smooth

    def _learn(self, rule: UnusualRule, known: Learned, hour: int) -> None:
        """Learn from an hour that is over."""
        cell, of_day = (self._kind(hour // 24), hour % 24), hour % 24
        least = smallest(self._stream, rule, self._step(rule, known), known.levels.get(cell))
        spread = max(spread_at(known, of_day), least)
        if known.means:
            mean, days = added(known.means) / len(known.means), known.days.get(cell, 0)
            if days == 0:
                known.levels[cell] = single(mean)
            else:
                off, bound = mean - known.levels[cell], LEVEL_BOUND * spread
                if days > 1:
                    off = min(max(off, -bound), bound)
                weight = max(1.0 / (days + 1), DAYS_FADE)
                known.levels[cell] = single(known.levels[cell] + weight * off)
            known.days[cell] = min(days + 1, COUNTED)
        if not known.offs:
            return
        off = added(known.offs) / len(known.offs)
        if known.judged >= FIRST_BOUND:
            off = min(off, OFF_BOUND / TO_SPREAD * spread)
        hours, before = known.hours.get(of_day, 0), known.off_by_hour.get(of_day, 0.0)
        weight = max(1.0 / (hours + 1), HOURS_FADE)
        known.off_by_hour[of_day] = single(before + weight * (off - before))
        known.hours[of_day] = min(hours + 1, COUNTED)
        weight = max(1.0 / (known.judged + 1), ALL_FADE)
        known.off += weight * (off - known.off)
        known.judged += 1


def spread_at(known: Learned, hour: int) -> float:
    """Return how far off is usual at an hour of the day, as a spread."""
    own, n = known.off_by_hour.get(hour, 0.0), float(known.hours.get(hour, 0))
    square = n * (own * own) + COMMON_DAYS * (known.off * known.off)
    return TO_SPREAD * math.sqrt(square / (n + COMMON_DAYS))


def scaled(stream: Stream, rule: UnusualRule, x: float) -> float:
    """Return a mean as it is compared."""
    if rule.scale == "log":
        return math.log(max(x, resolution(stream, rule)))
    return math.sqrt(max(x, 0.0)) if rule.scale == "root" else x


def smallest(
    stream: Stream, rule: UnusualRule, step: float = 0.0, usual: float | None = None
) -> float:
    """Return the spread below which none is taken to be: what one step of the sensor makes of the
    usual value (scaled), where either is known."""
    plain = rule.scale == "plain"
    least = SMALLEST_STEPS * resolution(stream, rule) if plain else SMALLEST_SHARE
    if not step or usual is None:
        return least
    back = {"plain": usual, "root": usual * usual}.get(rule.scale)
    value = math.exp(usual) if back is None else back
    return max(least, scaled(stream, rule, value + step) - usual)


def resolution(stream: Stream, rule: UnusualRule) -> float:
    """Return the smallest step that a rule's metric is written with."""
    return 10.0 ** -stream.quantity(rule.metric).decimals


def single(x: float) -> float:
    """Return a number as it is kept: in four bytes."""
    return struct.unpack("f", struct.pack("f", x))[0]


def added(values: list[float]) -> float:
    """Return the sum from the first to the last, in plain order."""
    total = 0.0
    for x in values:
        total += x
    return total
