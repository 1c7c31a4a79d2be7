"""Sensor health: readings arrive, but a metric has given nothing that says something of the world.

A rate, a jump or an unusual level may be the very event a sensor is there for: they make no sensor
unwell. What fails or is missing does, and what a test of the instrument itself doubts. Of a sensor
that is silent that alone is said: at most one alert for its maintainers is open.
"""

from datetime import datetime

import numpy as np

from catalog.contracts import FLAG_FAIL, FLAG_MISSING
from catalog.model import HealthRule
from engine.changes import Change, watch
from engine.doubts import INSTRUMENT
from engine.layout import NEVER
from engine.outputs import Outputs
from engine.quality import Tested
from engine.state import US, State

SILENT = "silent"
"""Why an alert of health ends that nothing well has ended."""


def evaluate(state: State, tested: Tested, produced_at: datetime, out: Outputs) -> None:
    """Look at the newest reading of each sensor by its flags and doubts."""
    a, sensors = state.arrays, tested.sensors
    times, values = tested.times, tested.values
    bad = (tested.flags == FLAG_FAIL) | ((tested.doubts & INSTRUMENT) > 0)
    missing = tested.flags == FLAG_MISSING
    if missing.any():
        # a metric that the sensor never sent is not missing
        sent = ~np.isnan(sensors.read(a["p1"])) | (sensors.read(a["bad_at"]) != NEVER)
        bad |= missing & sent
    numbers = [n for n, rule in enumerate(state.stream.rules) if isinstance(rule, HealthRule)]
    if not numbers:
        return
    known = sensors.read(a["bad_at"])
    level = sensors.read(a["r_level"])[:, numbers[0]]
    bad_now = bad | (known != NEVER)
    if not (bad_now.any() or level.any()):
        return
    rows = np.flatnonzero(bad_now.any(axis=1) | (level > 0))
    slots, times, values, bad = sensors.slots[rows], times[rows], values[rows], bad[rows]
    known = known[rows]
    a["bad_at"][slots] = np.where(bad, np.where(known == NEVER, times[:, None], known), NEVER)
    for number, rule in enumerate(state.stream.rules):
        if isinstance(rule, HealthRule):
            _judge(state, number, rule, slots, times, values, produced_at, out)


def _judge(
    state: State,
    number: int,
    rule: HealthRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    produced_at: datetime,
    out: Outputs,
) -> None:
    a = state.arrays
    bad_at, known, level = a["bad_at"][slots], a["well_at"][slots], a["r_level"][slots, number]
    well = (level > 0) & (bad_at == NEVER).all(axis=1)
    well_at = np.where(well, np.where(known == NEVER, times, known), NEVER)
    a["well_at"][slots] = well_at
    due = (bad_at != NEVER) & (times[:, None] - bad_at >= rule.for_s * US)
    raised = (level == 0) & due.any(axis=1)
    if raised.any():
        raised &= ~_silent(state, slots)
    cleared = well & (times - well_at >= rule.clear_s * US)
    for row in np.flatnonzero(raised | cleared):
        slot, at = int(slots[row]), int(times[row])
        metric = value = None
        if raised[row]:
            longest = int(np.where(bad_at[row] == NEVER, at, bad_at[row]).argmin())
            metric = state.stream.metric_names[longest]
            value = None if np.isnan(values[row, longest]) else float(values[row, longest])
        kind = "raised" if raised[row] else "cleared"
        change = Change(kind, int(rule.severity), at, value, metric=metric)
        watch(state, number, slot, change, produced_at, out)


def absorb(state: State, slot: int, at: int, produced_at: datetime, out: Outputs) -> None:
    """End what is open of a sensor's health, because it is silent (at ``at``, epoch µs)."""
    for number, rule in enumerate(state.stream.rules):
        if isinstance(rule, HealthRule) and state.arrays["r_level"][slot, number]:
            change = Change("cleared", int(rule.severity), at, reason=SILENT)
            watch(state, number, slot, change, produced_at, out)


def _silent(state: State, slots: np.ndarray) -> np.ndarray:
    """Tell which of these sensors are called silent."""
    numbers = [number for number, _ in state.absences]
    return np.logical_or.reduce(state.arrays["r_level"][slots][:, numbers] > 0, axis=1)
