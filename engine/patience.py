"""One cadence of patience: a value that jumped far waits for the next reading, no longer.

The next reading shows whether it was alone (a spike, not used) or not (it counts). When none comes
for a cadence of ticks, rules look at it as it stands; a spike found later is taken back.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from catalog.contracts import FLAG_FAIL, FLAG_SUSPECT
from catalog.model import ThresholdRule
from engine import doubts, quality
from engine.cells import Sensors
from engine.changes import Change, say
from engine.flat import RUN
from engine.layout import NEVER
from engine.outputs import Outputs
from engine.quality import Tested
from engine.rules import REMEMBERED
from engine.state import State

UNDONE = tuple(name for name in REMEMBERED if name != "r_last")
"""What rules know of a sensor, as it was before they looked at a reading that waits."""
Look = Callable[[Sensors, np.ndarray, np.ndarray, np.ndarray], None]
"""Lets rules look at readings that wait: sensors, times, used values and doubts."""


def hold(state: State, tested: Tested, rows: np.ndarray) -> None:
    """Keep these readings (a mask) until the next one of their sensors."""
    a, sensors = state.arrays, tested.sensors.chosen(rows)
    sensors.write(a["h_at"], tested.times[rows])
    sensors.write(a["h_tick"], state.ticks)
    sensors.write(a["h_looked"], False)
    sensors.write(a["h_value"], tested.values[rows])
    sensors.write(a["h_flag"], tested.flags[rows])
    sensors.write(a["h_doubt"], tested.doubts[rows])


def tick(state: State, look: Look) -> None:
    """Let rules look at what has waited for a cadence."""
    a, used = state.arrays, len(state.names)
    waiting = (a["h_at"][:used] != NEVER) & ~a["h_looked"][:used]
    slots = np.flatnonzero(waiting & (state.ticks - a["h_tick"][:used] > state.stream.cadence_s))
    if not slots.size:
        return
    for slot in slots.tolist():
        state.undo[slot] = {name: a[name][slot].copy() for name in UNDONE}
    a["h_looked"][slots] = True
    values = np.where(a["h_flag"][slots] < FLAG_FAIL, a["h_value"][slots], np.nan)
    look(Sensors(slots), a["h_at"][slots], values, a["h_doubt"][slots])


class Decided:
    """Readings that waited, ``[k, M]``, and what the next one showed of them."""

    def __init__(
        self,
        state: State,
        sensors: Sensors,
        times: np.ndarray,
        values: np.ndarray,
        device: np.ndarray | None,
    ) -> None:
        a = state.arrays
        self.state, self.sensors = state, sensors
        self.times = sensors.read(a["h_at"]).copy()
        self.came = sensors.read(a["h_tick"]).copy()
        self.values, doubted = sensors.read(a["h_value"]), sensors.read(a["h_doubt"])
        self.looked = sensors.read(a["h_looked"]).copy()
        before, limits = sensors.read(a["p2"]), state.limits
        fail, _ = quality.gross(state, sensors, values)
        if device is not None:
            fail |= device == FLAG_FAIL
        back = np.where(fail, np.nan, values) - self.values
        way, jump = np.abs(back), np.abs(self.values - before)
        beyond = np.maximum(limits.spike_suspect, quality.usual_change(state, sensors))
        if state.overrides.own is not None:
            beyond = np.maximum(beyond, sensors.read(state.overrides.own.resolution))
        jumped = (doubted & doubts.JUMP) > 0
        soon = (times - self.times <= quality.beside_us(state))[:, None]
        self.alone = jumped & soon & (way > beyond) & (back * (self.values - before) < 0)
        self.sure = (way > limits.spike_fail) & (jump > limits.spike_fail)
        self.doubts = doubted & ~doubts.JUMP
        self.used = (sensors.read(a["h_flag"]) < FLAG_FAIL) & ~self.alone

    @property
    def known(self) -> np.ndarray:
        """Return which rules have looked at already, as it still stands (``[k]``)."""
        return self.looked & ~self.alone.any(axis=1)

    @property
    def looked_at(self) -> np.ndarray:
        """Return which rules have looked at no value that is alone now (``[k, rules]``)."""
        made_of = [self.alone[:, metrics].any(axis=1) for metrics in self.state.made_of]
        return self.looked[:, None] & ~np.column_stack(made_of)


def decide(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    values: np.ndarray,
    device: np.ndarray | None,
    produced_at: datetime,
    out: Outputs,
) -> Decided:
    """Decide on the waiting readings of these sensors by the next ones; they wait no more."""
    decided, a = Decided(state, sensors, times, values, device), state.arrays
    alone = decided.alone
    if alone.any():
        flag = np.where(decided.sure, FLAG_FAIL, FLAG_SUSPECT)
        quality.emit(
            *(state, sensors, "spike", alone, flag, decided.times[:, None], decided.values, out)
        )
        # the value before is the last one again, and stands as still as it did
        for value, before in (("p1", "p2"), ("p1_at", "p2_at"), *((n, f"h_{n}") for n in RUN)):
            kept = np.where(alone, sensors.read(a[before]), sensors.read(a[value]))
            sensors.write(a[value], kept)
        for row in np.flatnonzero(decided.looked & alone.any(axis=1)):
            _take_back(state, decided, int(row), int(times[row]), produced_at, out)
    for slot in sensors.slots[decided.looked].tolist():
        state.undo.pop(slot, None)
    sensors.write(a["h_at"], NEVER)
    return decided


def _take_back(
    state: State,
    decided: Decided,
    row: int,
    at: int,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Put back what the rules made of a spike knew before they looked at it, and withdraw what
    they raised on it; other rules have seen nothing wrong."""
    a, slot = state.arrays, int(decided.sensors.slots[row])
    undo = state.undo.get(slot)
    if undo is None:
        return
    state.timed[slot] = True
    for number, rule in enumerate(state.stream.rules):
        spikes = [m for m in state.made_of[number] if decided.alone[row, m]]
        if isinstance(rule, ThresholdRule) and spikes:
            metric = spikes[0]
            shown, was = int(a["r_level"][slot, number]), int(undo["r_level"][number])
            # what was open then is so still, unless it has ended since
            goes_on = shown and undo["r_raised"][number] == a["r_raised"][slot, number]
            undo["r_level"][number] = kept = was if goes_on else 0
            if not kept:
                undo["r_doubt"][number] = 0
            if shown and not kept:
                name, value = state.stream.metric_names[metric], decided.values[row, metric]
                change = Change("withdrawn", shown, at, float(value), reason="spike", metric=name)
                say(state, number, slot, change, produced_at, out)
            elif shown != kept:
                doubt, value = undo["r_doubt"][number], undo["r_value"][number]
                change = Change("changed", kept, at, float(value), int(doubt), previous=shown)
                say(state, number, slot, change, produced_at, out)
            for name in UNDONE:
                a[name][slot, number] = undo[name][number]
