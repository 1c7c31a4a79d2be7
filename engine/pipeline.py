"""Silence of everything: nothing comes from any stream, so gateway, broker or network stand still.

Whoever writes the ticks says in them how long it has heard nothing at all, so that replay judges
the same; the words of the other shards tell whether another writer does. While the platform is
still, no single sensor or stream is called silent.
"""

from datetime import datetime

from catalog.model import STREAM_SUBJECT
from catalog.platform import PIPELINE, PLATFORM
from catalog.ticks import Pulse
from engine.changes import transition
from engine.layout import NEVER
from engine.outputs import Outputs
from engine.state import US, State


def tick(state: State, pulse: Pulse | None, produced_at: datetime, out: Outputs) -> None:
    """Judge by the pulse of the tick that was just counted; without one all stays as it is."""
    known = state.pipeline
    if pulse is None:
        return
    known.cadence_s = pulse.cadence_s or known.cadence_s
    if not known.cadence_s:
        return
    still = pulse.quiet_s >= max(PIPELINE.after_s, PIPELINE.cadences * known.cadence_s)
    # a writer that has just started knows nothing of what was before
    still |= known.still and not pulse.cadence_s
    # with several workers each writer's pulse is of its own shards: another may hear something
    still &= all(said != "heard" for said, _ in state.silence.heard.values())
    if known.still and not still:
        # every stream and sensor has its full time again
        state.silence.back = state.ticks
    known.still = still
    if still and known.raised == NEVER and state.speaks_for_all:
        known.raised = state.tick_at * US
        _tell(state, "raised", produced_at, out)
    elif not still and known.raised != NEVER:
        _tell(state, "cleared", produced_at, out)
        known.raised = NEVER


def others_heard(pulse: Pulse | None, waited: int) -> bool:
    """Tell whether anything came in the last ``waited`` ticks; so where no pulse says otherwise."""
    return pulse is None or (pulse.cadence_s > 0 and pulse.quiet_s < waited)


def _tell(state: State, kind: str, produced_at: datetime, out: Outputs) -> None:
    at, raised = state.tick_at * US, state.pipeline.raised
    given = (kind, int(PIPELINE.severity), None, raised, at, produced_at)
    told = transition(state, PIPELINE.name, STREAM_SUBJECT, *given, stream=PLATFORM)
    out.transitions.append(told)
