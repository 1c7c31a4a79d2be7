"""Absence: a sensor that has sent nothing usable, a stream that has sent nothing, for some ticks.

Ticks are counted, not subtracted, so the time in which no worker wrote ticks counts for nobody.
Each partition hears a part of the stream's sensors and tells the others when it begins or ceases to
hear any of them; the words travel as records, so that replay judges the same. While nobody hears
anything, that is one alert on the stream, put out by shard 0, and none on single sensors. A stream
is called silent only when something of another one has come meanwhile: else the platform may be.
A sensor that is called silent is not called unwell as well: that is the worse of the two.
"""

from datetime import datetime

import numpy as np

from catalog.model import STREAM_SUBJECT, StreamAbsenceRule
from catalog.ticks import Hearing, Pulse, Word
from engine import health
from engine.cells import Sensors
from engine.changes import Change, transition, watch
from engine.layout import NEVER
from engine.outputs import Outputs
from engine.pipeline import others_heard
from engine.quality import Tested
from engine.state import TELLER, US, State
from engine.times import LATE, UNUSABLE, quiet_after

NOTHING, NEVER_SENT = "nothing", "never"
REASONS = {LATE: "late", UNUSABLE: "unusable"}
"""Why a sensor that does send something is silent all the same."""


def arrived(state: State, sensors: Sensors) -> None:
    """Note that something has come, whatever it is."""
    sensors.write(state.arrays["last_tick"], state.ticks)
    sensors.write(state.arrays["heard"], True)


def used(state: State, tested: Tested, produced_at: datetime, out: Outputs) -> None:
    """Note usable readings; a silent sensor's episode is cleared at the time of the last tick."""
    usable = np.logical_or.reduce(tested.used, axis=1)
    if not usable.all():
        tested.sensors.chosen(~usable).write(state.arrays["cause"], UNUSABLE)
        tested = tested.chosen(usable)
    sensors = tested.sensors
    sensors.write(state.arrays["used_tick"], state.ticks)
    sensors.write(state.arrays["cause"], 0)
    level = sensors.read(state.arrays["r_level"])
    for number, rule in state.absences:
        for slot in sensors.slots[level[:, number] > 0].tolist():
            change = Change("cleared", int(rule.severity), state.tick_at * US)
            watch(state, number, slot, change, produced_at, out)


def hear(state: State, word: Word) -> None:
    """Keep what another shard has told, if it is news; judged at the next tick."""
    _, known = state.silence.heard.get(str(word.shard), ("nobody", NEVER))
    if word.shard != state.shard and word.at > known:
        state.silence.heard[str(word.shard)] = (word.hearing, word.at)


def tick(state: State, pulse: Pulse | None, produced_at: datetime, out: Outputs) -> None:
    """Raise what has become silent with the tick that was just counted."""
    hearing = _hearing(state)
    if hearing != state.silence.told:
        state.silence.told = hearing
        out.words.append(Word(state.shard, hearing, state.tick_at))
    _judge_stream(state, hearing, pulse, produced_at, out)
    if state.silence.since == NEVER and not state.pipeline.still:
        _judge_sensors(state, produced_at, out)


def _hearing(state: State) -> Hearing:
    used = len(state.names)
    mine = state.arrays["last_tick"][:used][state.placed[:used] & state.arrays["heard"][:used]]
    if not len(mine):
        return "nobody"
    return "hushed" if state.ticks - int(mine.max()) >= quiet_after(state) else "heard"


def _judge_stream(
    state: State, hearing: Hearing, pulse: Pulse | None, produced_at: datetime, out: Outputs
) -> None:
    silence = state.silence
    told = {hearing, *(said for said, _ in silence.heard.values())}
    if told == {"nobody"}:
        # a stream that is not there yet misses nobody
        silence.back = state.ticks
    if "heard" in told or "hushed" not in told:
        if silence.since != NEVER:
            silence.since, silence.back = NEVER, state.ticks
    elif silence.since == NEVER:
        silence.since = state.ticks
    if state.shard == TELLER:
        for rule in state.stream.rules:
            if isinstance(rule, StreamAbsenceRule):
                quiet = _is_silent(state, rule, pulse)
                _tell_stream(state, rule, quiet, produced_at, out)


def _is_silent(state: State, rule: StreamAbsenceRule, pulse: Pulse | None) -> bool:
    silence, at = state.silence, state.ticks
    if silence.since == NEVER or state.pipeline.still:
        return False
    waited = at - max(silence.since, silence.back)
    return waited >= rule.after_s - quiet_after(state) and others_heard(pulse, at - silence.since)


def _tell_stream(
    state: State, rule: StreamAbsenceRule, quiet: bool, produced_at: datetime, out: Outputs
) -> None:
    silence, at = state.silence, state.tick_at * US
    if quiet and silence.raised == NEVER:
        silence.raised, kind = at, "raised"
    elif silence.since == NEVER and silence.raised != NEVER:
        kind = "cleared"
    else:
        return
    given = (kind, int(rule.severity), None, silence.raised, at, produced_at)
    out.transitions.append(transition(state, rule.name, STREAM_SUBJECT, *given))
    if kind == "cleared":
        silence.raised = NEVER


def _judge_sensors(state: State, produced_at: datetime, out: Outputs) -> None:
    used = len(state.names)
    # after a silence of the whole stream every sensor has its full time again
    since = np.maximum(state.arrays["used_tick"][:used], state.silence.back)
    for number, rule in state.absences:
        level = state.arrays["r_level"][:used, number]
        quiet = state.placed[:used] & (state.ticks - since >= rule.after_s)
        for slot in np.flatnonzero(quiet & (level == 0)).tolist():
            at = state.tick_at * US
            health.absorb(state, slot, at, produced_at, out)
            change = Change("raised", int(rule.severity), at, reason=_reason(state, slot))
            watch(state, number, slot, change, produced_at, out)


def _reason(state: State, slot: int) -> str:
    a = state.arrays
    if not a["heard"][slot]:
        return NEVER_SENT
    return REASONS.get(int(a["cause"][slot]), NOTHING)
