"""Who a frame speaks of: rows of the state, kept by the frame's list of names.

A source mostly sends the same sensors in the same order, so that names are looked up once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from engine.cells import Index, Sensors, compact
from engine.state import State

KEPT_ROWS, KEPT_TIMES = 20_000, 2
"""Rows of all kept crowds together: so many, or each sensor so often; beyond that everything is
forgotten and looked up anew."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """The sensors of a frame, each once in ``everybody``; each round's rows of it, and whose."""

    everybody: Sensors
    rounds: tuple[tuple[Index, Sensors], ...]


@dataclass(slots=True)
class Crowds:
    """The crowds of one partition, by the names as they travel."""

    known: dict[bytes, Crowd] = field(default_factory=dict)
    rows: int = 0

    def find(self, state: State, names: pa.StringArray) -> Crowd | None:
        """Return the crowd of a list of names; None where one of them has no row yet."""
        if not (key := _key(names)):
            return None
        if (crowd := self.known.get(key)) is not None:
            return crowd
        slots = list(map(state.slots.get, names.to_pylist()))
        if None in slots:
            return None
        crowd = _crowd(np.array(slots, np.int64))
        if self.rows + len(slots) > max(KEPT_ROWS, KEPT_TIMES * len(state.names)):
            self.forget()
        self.known[key] = crowd
        self.rows += len(slots)
        return crowd

    def forget(self) -> None:
        """Forget all crowds, as after a restore: rows are other ones then."""
        self.known, self.rows = {}, 0


def look_up(state: State, names: pa.StringArray) -> Crowd:
    """Return the crowd of a list of names, making rows for new sensors."""
    return _crowd(np.array(state.slots_of(names.to_pylist()), np.int64))


def _crowd(slots: np.ndarray) -> Crowd:
    everybody = Sensors(np.unique(slots))
    if len(everybody) == len(slots):
        return Crowd(everybody, ((slice(0, len(slots)), Sensors(slots)),))
    rounds = tuple((compact(rows), Sensors(slots[rows])) for rows in _rounds(slots))
    return Crowd(everybody, rounds)


def _key(names: pa.StringArray) -> bytes:
    """Return the names as bytes: how many, where each ends, their letters; empty for none, and
    where one is missing."""
    _, ends, letters = names.buffers()
    if not len(names) or names.null_count or ends is None or letters is None:
        return b""
    at = np.frombuffer(ends, np.int32)[names.offset : names.offset + len(names) + 1]
    count = len(names).to_bytes(4, "big")
    return count + (at - at[0]).tobytes() + letters[int(at[0]) : int(at[-1])].to_pybytes()


def _rounds(slots: np.ndarray) -> Iterator[np.ndarray]:
    """Yield row indices: first readings of all sensors, then second ones, and so on."""
    order = np.argsort(slots, kind="stable")
    sorted_slots = slots[order]
    first = np.append(True, sorted_slots[1:] != sorted_slots[:-1])
    group_start = np.maximum.accumulate(np.where(first, np.arange(len(slots)), 0))
    nth = np.arange(len(slots)) - group_start
    for number in range(int(nth.max()) + 1):
        yield order[nth == number]
