"""Who a frame speaks of: rows of the state, kept by the frame's list of names.

A source mostly sends the same sensors in the same order, so that names are looked up once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from streams.engine.cells import Index, Sensors, compact
from streams.engine.state import State

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
    """The crowds of one partition, by the names as they travel. Only good names are kept."""

    known: dict[bytes, Crowd] = field(default_factory=dict)
    rows: int = 0

    def find(self, names: pa.StringArray) -> Crowd | None:
        """Return the crowd of this list of names if it is known."""
        return self.known.get(_key(names))

    def keep(self, names: pa.StringArray, crowd: Crowd, sensors: int) -> None:
        """Remember the crowd of a list of names, all of which keep the contract.

        ``sensors`` are there in all.
        """
        if self.rows + len(names) > max(KEPT_ROWS, KEPT_TIMES * sensors):
            self.forget()
        if key := _key(names):
            self.known[key] = crowd
        self.rows += len(names)

    def forget(self) -> None:
        """Forget all crowds, as after a restore: rows are other ones then."""
        self.known, self.rows = {}, 0


def look_up(state: State, names: pa.StringArray) -> Crowd:
    """Return the crowd of a list of names, making rows for new sensors."""
    encoded = names.dictionary_encode()
    slot_of_name = np.array(state.slots_of(encoded.dictionary.to_pylist()), np.int64)
    slots = slot_of_name[encoded.indices.to_numpy()]
    rounds = tuple((compact(rows), Sensors(slots[rows])) for rows in _rounds(slots))
    return Crowd(Sensors(np.unique(slots)), rounds)


def _key(names: pa.StringArray) -> bytes:
    """Return the names as bytes: how many, where each ends, their letters; empty for none."""
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
