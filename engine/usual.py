"""What is usual: per sensor and metric, by kind of day and hour, learned as the readings come.

Readings of five minutes make a beat. Its mean is held against what the sensor has shown at this
hour of such days; how far off it is, smoothed over the rule's window, is held against how far off
that usually is at this hour. Each is learned once an hour, from what was known before that hour:
a spread so found contains the baseline's own error. What lies far off moves either only so much.
"""

from datetime import datetime

import numpy as np

from catalog.site import offset_us
from engine import rules, steps
from engine.cells import Sensors
from engine.doubts import BITS, INSTRUMENT
from engine.layout import CELLS, HOURS, HOURS_OF_DAY, NEVER
from engine.levels import levels
from engine.outputs import Outputs
from engine.quantities import Checked
from engine.state import US, State

HOUR_US = 3600 * US
FADE = 0.1
"""A day weighs so much in the usual value, once there are enough of them."""
FADE_HOUR, FADE_ALL = 0.1, 0.01
"""The same of an hour in how far off is usual: at that hour of the day, and at all hours."""
BOUND_LEVEL, BOUND_OFF = 3.0, 3.0
"""A day moves the usual value as if it were so many spreads off at most; an hour counts as no
more than so many times as far off as is usual."""
ALIKE = 8.0
"""An hour of the day is taken to be like the others until it is known of more days than these."""
JUDGED_HOURS = 24
"""Nothing is called unusual before it has been held against the usual for so many hours."""
BOUND_AFTER = 5
MOST = 200
MEAN_TO_SPREAD = 1.2533
"""Standard deviation by mean absolute deviation of normal values: the square root of pi / 2."""


def take(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    values: np.ndarray,
    checked: Checked,
    held: np.ndarray | None,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Count newest readings ``[k, M]`` into their beats; look at the beats that end with them.

    Those that are ``held`` (a mask) are passed over, and so are values that fail or whose
    instrument is doubted.
    """
    if not len(state.learned.rules):
        return
    a, metrics = state.arrays, state.learned.metrics
    fit = (checked.doubts[:, metrics] & INSTRUMENT) == 0
    fit &= checked.used[:, metrics]
    over = times // state.learned.beat_us != sensors.read(a["u_beat"])
    if held is not None:
        fit &= ~held[:, None]
        over &= ~held
    if over.any():
        slots = sensors.slots[over]
        _finish(state, slots, produced_at, out)
        steps.learn(state, slots, values[over][:, metrics], fit[over])
        a["u_beat"][slots] = times[over] // state.learned.beat_us
        a["u_sum"][slots], a["u_n"][slots] = 0.0, 0
    sensors.add(a["u_sum"], np.where(fit, values[:, metrics], 0.0))
    sensors.add(a["u_n"], fit)


def _finish(state: State, slots: np.ndarray, produced_at: datetime, out: Outputs) -> None:
    """Look at these sensors' beats, which are over; each is put into its hour."""
    a, learned = state.arrays, state.learned
    slots = slots[a["u_beat"][slots] != NEVER]
    n = a["u_n"][slots]
    slots, n = slots[some := n.any(axis=1)], n[some]
    if not slots.size:
        return
    begin = a["u_beat"][slots] * learned.beat_us + offset_us()
    _turn_hour(state, slots, begin // HOUR_US)
    x, there = _scaled(state, a["u_sum"][slots] / np.maximum(n, 1)), n > 0
    expected = _expected(state, slots, begin)
    off = _smoothed(state, slots, x - expected, there)
    judged = ~np.isnan(off)
    spread = np.maximum(_spread(state, slots, begin // HOUR_US), _least(state, slots, expected))
    known = judged & (a["u_judged"][slots] >= JUDGED_HOURS)
    spreads = np.where(known, off / spread, np.nan)
    a["u_hour_sum"][slots] += np.where(there, x, 0.0)
    a["u_hour_n"][slots] += there
    a["u_hour_off"][slots] += np.where(judged, np.abs(off), 0.0)
    a["u_hour_judged"][slots] += judged
    _judge(state, slots, spreads, produced_at, out)


def _scaled(state: State, x: np.ndarray) -> np.ndarray:
    """Return means ``[k, U]`` as they are compared: as they are, their roots or logarithms."""
    learned = state.learned
    if learned.roots.any():
        x = np.where(learned.roots, np.sqrt(np.maximum(x, 0.0)), x)
    if learned.logs.any():
        x = np.where(learned.logs, np.log(np.maximum(x, learned.least)), x)
    return x


def _judge(
    state: State, slots: np.ndarray, spreads: np.ndarray, produced_at: datetime, out: Outputs
) -> None:
    """Let each rule look at how many spreads off its metric is ``[k, U]``; NaN says nothing."""
    ends = (state.arrays["u_beat"][slots] + 1) * state.learned.beat_us
    for place, number in enumerate(state.learned.rules):
        rule, sign = state.compared[number], state.learned.sign[place]
        assert rule is not None
        values = np.abs(spreads[:, place]) if sign == 0 else sign * spreads[:, place]
        level = levels(state, rule, slots, ends, values, 0.0)
        counting = state.arrays["r_since"][slots, number, -1] != NEVER
        busy = counting | (state.arrays["r_level"][slots, number] > 0) | (level > 0)
        rows = np.flatnonzero(busy & ~np.isnan(values))
        if rows.size:
            given = (slots[rows], ends[rows], values[rows], level[rows])
            rules.move(state, number, rule, *given, np.zeros(len(rows), BITS), produced_at, out)


def _expected(state: State, slots: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Return what is usual in the middle of beats ``[k, U]``, between the middles of two hours.

    ``begin`` is in local µs. NaN where one of the two is not known of this kind of day.
    """
    middle = begin + state.learned.beat_us // 2 - HOUR_US // 2
    share = (middle % HOUR_US / HOUR_US)[:, None]
    first = middle // HOUR_US % HOURS_OF_DAY
    kind = state.day_kind(begin // HOUR_US // HOURS_OF_DAY) * HOURS_OF_DAY
    found = []
    for hour in (first, (first + 1) % HOURS_OF_DAY):
        level = state.arrays["u_level"][kind + hour, slots].astype(float)
        found.append(np.where(state.arrays["u_days"][kind + hour, slots] > 0, level, np.nan))
    return (1.0 - share) * found[0] + share * found[1]


def _smoothed(state: State, slots: np.ndarray, off: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return how far off the metrics are, smoothed, ``[k, U]``; NaN where this beat says nothing.

    The beat weighs by its distance from the one before: t / (t + window).
    """
    a, beat_us = state.arrays, state.learned.beat_us
    last, before, beat = a["u_last"][slots], a["u_smooth"][slots], a["u_beat"][slots][:, None]
    says = there & ~np.isnan(off)
    passed = np.where(last == NEVER, beat_us, np.maximum(1, beat - last) * float(beat_us))
    weight = passed / (passed + state.learned.tau_us)
    now = np.where(last == NEVER, off, before + weight * (off - before))
    a["u_smooth"][slots] = np.where(says, now, before)
    a["u_last"][slots] = np.where(says, beat, last)
    return np.where(says, now, np.nan)


def _spread(state: State, slots: np.ndarray, hour: np.ndarray) -> np.ndarray:
    """Return how far off the smoothed values usually are at local hours, as a spread ``[k, U]``."""
    a, hour = state.arrays, hour % HOURS_OF_DAY
    own, n = a["u_off"][hour, slots].astype(float), a["u_hours"][hour, slots].astype(float)
    everywhere = a["u_off_all"][slots]
    square = (n * (own * own) + ALIKE * (everywhere * everywhere)) / (n + ALIKE)
    return MEAN_TO_SPREAD * np.sqrt(square)


def _least(state: State, slots: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Return the spread below which none is taken to be ``[k, U]`` (or ``[U]``) where ``usual`` is
    the value, scaled: a sensor that shows steps has none that is smaller than one of them."""
    learned, step = state.learned, steps.resolution(state, slots)
    if step is None:
        return learned.spread
    plain = np.where(learned.logs, np.exp(usual), np.where(learned.roots, usual * usual, usual))
    return np.fmax(learned.spread, np.where(step > 0, _scaled(state, plain + step) - usual, 0.0))


def _turn_hour(state: State, slots: np.ndarray, hours: np.ndarray) -> None:
    """Learn from the hours that are over, of these sensors; ``hours`` are the ones that begin."""
    a = state.arrays
    over = a["u_hour"][slots] != hours
    ended = slots[over & (a["u_hour"][slots] != NEVER)]
    if ended.size:
        _learn(state, ended, a["u_hour"][ended])
    a["u_hour"][slots[over]] = hours[over]
    for name in ("u_hour_sum", "u_hour_n", "u_hour_off", "u_hour_judged"):
        a[name][slots[over]] = 0


def _learn(state: State, slots: np.ndarray, hours: np.ndarray) -> None:
    a, hour = state.arrays, hours % HOURS_OF_DAY
    cell = state.day_kind(hours // HOURS_OF_DAY) * HOURS_OF_DAY + hour
    usual = np.where(a["u_days"][cell, slots] > 0, a["u_level"][cell, slots].astype(float), np.nan)
    spread = np.maximum(_spread(state, slots, hours), _least(state, slots, usual))
    _learn_level(state, slots, cell, BOUND_LEVEL * spread)
    judged = a["u_hour_judged"][slots]
    off = a["u_hour_off"][slots] / np.maximum(judged, 1)
    seen = a["u_judged"][slots]
    usual = BOUND_OFF / MEAN_TO_SPREAD * spread
    off = np.where(seen >= BOUND_AFTER, np.minimum(off, usual), off)
    here, there = (hour, slots), judged > 0
    n, known = a["u_hours"][here].astype(np.int64), a["u_off"][here].astype(float)
    weight = np.maximum(1.0 / (n + 1), FADE_HOUR)
    a["u_off"][here] = np.where(there, known + weight * (off - known), known)
    a["u_hours"][here] = np.where(there, np.minimum(n + 1, MOST), n)
    known = a["u_off_all"][slots]
    weight = np.maximum(1.0 / (seen + 1), FADE_ALL)
    a["u_off_all"][slots] = np.where(there, known + weight * (off - known), known)
    a["u_judged"][slots] = seen + there
    state.touch(HOURS, hour)


def _learn_level(state: State, slots: np.ndarray, cell: np.ndarray, bound: np.ndarray) -> None:
    """Move the usual value of each hour towards the mean of the one that is over."""
    a, here = state.arrays, (cell, slots)
    count = a["u_hour_n"][slots]
    mean = a["u_hour_sum"][slots] / np.maximum(count, 1)
    n, known = a["u_days"][here].astype(np.int64), a["u_level"][here].astype(float)
    off = mean - known
    off = np.where(n > 1, np.clip(off, -bound, bound), off)
    weight = np.maximum(1.0 / (n + 1), FADE)
    moved = np.where(n == 0, mean, known + weight * off)
    a["u_level"][here] = np.where(count > 0, moved, known)
    a["u_days"][here] = np.where(count > 0, np.minimum(n + 1, MOST), n)
    state.touch(CELLS, cell)
