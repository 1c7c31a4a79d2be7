"""Unusual alerts of which nothing more can be said end: nothing comes, or what came was wrong.

A limit that was passed stays passed when the sensor dies: the danger may be there still. That a
value is unusual for its hour says nothing of later hours.
"""

from datetime import datetime

import numpy as np

from engine.cells import Sensors
from engine.changes import Change, say
from engine.layout import NEVER
from engine.outputs import Outputs
from engine.quality import Tested
from engine.state import US, State

UNHEARD, WRONG = "unheard", "flat"
"""Why an alert ends: nothing comes that it could be judged by; its values were those of a sensor
that is stuck."""


def tick(state: State, produced_at: datetime, out: Outputs) -> None:
    """End alerts on metrics of which no beat has come for too long, by the tick just counted."""
    a, used, learned = state.arrays, len(state.names), state.learned
    if not len(learned.rules):
        return
    level = a["r_level"][:used, list(learned.rules)]
    slots = np.flatnonzero((level > 0).any(axis=1))
    if not slots.size:
        return
    now = a["newest"][slots] + (state.ticks - a["newest_tick"][slots]) * US
    heard = np.where(a["u_n"][slots] > 0, a["u_beat"][slots][:, None], a["u_last"][slots])
    gone = now[:, None] - (heard + 1) * learned.beat_us >= learned.unheard_us
    for row, place in zip(*np.nonzero(gone & (level[slots] > 0)), strict=True):
        slot, number = int(slots[row]), learned.rules[place]
        _end(state, number, slot, "cleared", UNHEARD, int(now[row]), produced_at, out)


def withdraw(state: State, tested: Tested, produced_at: datetime, out: Outputs) -> None:
    """Withdraw alerts raised on a value since when it has stood still, now that it is stuck."""
    stuck, learned = tested.stuck, state.learned
    if stuck is None or not len(learned.rules):
        return
    sensors: Sensors = tested.sensors
    began = sensors.read(state.arrays["run_at"])[:, learned.metrics]
    numbers = list(learned.rules)
    wrong = sensors.read(state.arrays["r_level"])[:, numbers] > 0
    wrong &= stuck[:, learned.metrics]
    wrong &= sensors.read(state.arrays["r_raised"])[:, numbers] >= began
    for row, place in zip(*np.nonzero(wrong), strict=True):
        slot, number = int(sensors.slots[row]), numbers[place]
        _end(state, number, slot, "withdrawn", WRONG, int(tested.times[row]), produced_at, out)


def _end(
    state: State,
    number: int,
    slot: int,
    kind: str,
    reason: str,
    at: int,
    produced_at: datetime,
    out: Outputs,
) -> None:
    a = state.arrays
    severity, value = int(a["r_level"][slot, number]), float(a["r_value"][slot, number])
    a["r_level"][slot, number] = 0
    a["r_since"][slot, number] = a["r_clear"][slot, number] = NEVER
    say(state, number, slot, Change(kind, severity, at, value, reason=reason), produced_at, out)
