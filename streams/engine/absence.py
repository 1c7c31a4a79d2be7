"""Absence: a sensor that has sent nothing for a number of ticks, whatever its readings' times.

Ticks are counted, not subtracted, so the time in which no worker wrote ticks counts for nobody.
"""

from datetime import datetime

import numpy as np

from catalog.model import AbsenceRule
from streams.engine.outputs import Outputs
from streams.engine.rules import transition
from streams.engine.state import US, State


def arrived(state: State, slots: np.ndarray, produced_at: datetime, out: Outputs) -> None:
    """Note arrivals; a silent sensor's episode is cleared at the time of the last tick."""
    state.arrays["last_tick"][slots] = state.ticks
    for number, rule in _rules(state):
        back = slots[state.arrays["r_level"][slots, number] > 0]
        for slot in back:
            _end(state, number, rule, int(slot), produced_at, out)


def tick(state: State, produced_at: datetime, out: Outputs) -> None:
    """Raise what has become silent with the tick that was just counted."""
    used = len(state.names)
    for number, rule in _rules(state):
        level = state.arrays["r_level"][:used, number]
        quiet = state.ticks - state.arrays["last_tick"][:used] >= rule.after_s
        for slot in np.flatnonzero(quiet & (level == 0)):
            at = state.tick_at * US
            level[slot] = int(rule.severity)
            state.arrays["r_raised"][slot, number] = at
            given = (rule.name, int(slot), "raised", int(rule.severity), None, at, at, produced_at)
            out.transitions.append(transition(state, *given))


def _end(
    state: State, number: int, rule: AbsenceRule, slot: int, produced_at: datetime, out: Outputs
) -> None:
    raised = int(state.arrays["r_raised"][slot, number])
    state.arrays["r_level"][slot, number] = 0
    at = state.tick_at * US
    given = (rule.name, slot, "cleared", int(rule.severity), None, raised, at, produced_at)
    out.transitions.append(transition(state, *given))


def _rules(state: State) -> list[tuple[int, AbsenceRule]]:
    return [(n, r) for n, r in enumerate(state.stream.rules) if isinstance(r, AbsenceRule)]
