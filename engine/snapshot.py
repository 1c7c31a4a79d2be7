"""The state in parts, so that a checkpoint writes only what has changed.

``base`` holds what every reading changes; each place of a ring of event time (a minute's windows,
an hour's buckets) is a part of its own, which stays as it is once its time has passed.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from catalog.errors import FatalError
from catalog.overrides import Override
from engine import windows
from engine.layout import SEEN, Labels, carry_over, is_named, labels
from engine.state import Pipeline, Silence, State

FORMAT = 5
EARLIER = 4
"""Without held readings and confidence; what is new begins empty."""
BASE = "base"

Parts = dict[str, bytes]
"""Part name to its bytes."""


class SnapshotError(FatalError):
    """A snapshot that this version cannot go on from; the message says what to do."""

    def __init__(self, what: str) -> None:
        todo = (
            "Run `python -m streams forget --yes` while no worker runs: the worker then works off"
            " the log from its beginning"
        )
        super().__init__(f"the stored state {what}. {todo}", code="snapshot", stage="processing")


def take(state: State, *, changed: bool) -> Parts:
    """Return ``base`` and the other parts: those in use, or only those changed since last time."""
    now, used = labels(state.stream), len(state.names)
    head = {
        "format": FORMAT,
        "names": state.names,
        "ticks": state.ticks,
        "at": state.tick_at,
        "silence": asdict(state.silence),
        "pipeline": asdict(state.pipeline),
        "seen": state.seen_width,
        "overrides": [msgspec.structs.asdict(o) for o in state.overrides.known.values()],
        "undo": {
            str(slot): {name: (x.dtype.str, x.shape, x.tobytes()) for name, x in known.items()}
            for slot, known in state.undo.items()
        },
    }
    arrays = {key: state.arrays[key][:used] for key, f in state.fields.items() if not f.by}
    parts = {BASE: _packed(arrays, now, head)}
    for axis, chosen in (state.touched if changed else state.begun).items():
        keys = [key for key, f in state.fields.items() if f.by == axis]
        for place in np.flatnonzero(chosen):
            arrays = {key: state.arrays[key][place, :used] for key in keys}
            parts[f"{axis}/{place}"] = _packed(arrays, now, {})
        if changed:
            chosen[:] = False
    return parts


def restore(state: State, parts: Mapping[str, bytes]) -> None:
    """Take over a snapshot of the stream; metrics and rules declared since begin anew.

    ``SnapshotError`` when it was made by another version, or before the stream's lateness or a
    rolling window changed its length.
    """
    base = _unpacked(parts[BASE])
    head = base["head"]
    if head["format"] not in (FORMAT, EARLIER):
        raise SnapshotError(f"is of format {head['format']}, not {FORMAT}")
    _check(state, base["labels"])
    state.take_names(head["names"], head["seen"])
    state.ticks, state.tick_at = head["ticks"], head["at"]
    state.silence = Silence(**head["silence"])
    state.pipeline = Pipeline(**head.get("pipeline", {}))
    for told in head.get("overrides", ()):
        state.overrides.takes(msgspec.convert(told, Override))
    state.lay_out_overrides()
    _lay(state, base, ...)
    for name, data in parts.items():
        axis, _, place = name.rpartition("/")
        if axis in state.begun:
            _lay(state, _unpacked(data), int(place))
            state.begun[axis][int(place)] = True
            if axis == "window":
                if head["format"] == EARLIER:
                    windows.take_earlier(state, int(place))
                windows.refill(state, int(place))
    if head["format"] == EARLIER:
        state.take_earlier()
    if base["labels"]["rule"] == labels(state.stream)["rule"]:
        state.undo = {int(s): _arrays(x) for s, x in head.get("undo", {}).items()}
    state.taken_over()


def _arrays(packed: dict[str, Any]) -> dict[str, np.ndarray]:
    return {n: np.frombuffer(x, np.dtype(t)).reshape(s).copy() for n, (t, s, x) in packed.items()}


def _lay(state: State, part: dict[str, Any], place: Any) -> None:
    now = labels(state.stream)
    for key, (kind, shape, data) in part["arrays"].items():
        if key not in state.arrays or not shape[0]:
            continue
        old = np.frombuffer(data, np.dtype(kind)).reshape(shape)
        target = state.arrays[key][place]
        if key == SEEN:
            target[: len(old), : old.shape[1]] = old
        else:
            carry_over(old, target, state.fields[key].axes, part["labels"], now)


def _check(state: State, was: Labels) -> None:
    for axis, now in labels(state.stream).items():
        if not is_named(axis) and axis in was and was[axis] != now:
            lengths = f"{len(was[axis])} places of {axis}, now {len(now)} are declared"
            raise SnapshotError(f"of {state.stream.name} has {lengths}")


def _packed(arrays: dict[str, np.ndarray], now: Labels, head: dict[str, Any]) -> bytes:
    packed = {key: (a.dtype.str, a.shape, a.tobytes()) for key, a in arrays.items()}
    return msgspec.msgpack.encode({"head": head, "labels": now, "arrays": packed})


def _unpacked(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        raise SnapshotError(f"is of another format than {FORMAT}") from None
