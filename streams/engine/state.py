"""State of one partition of one stream: arrays with a row per sensor, grown by doubling."""

import io
import json
from dataclasses import dataclass, field

import lz4.frame
import numpy as np

from catalog.contracts import WINDOW_S
from catalog.model import Stream

US = 1_000_000
NEVER = np.iinfo(np.int64).min // 4
"""Smaller than any time: a sensor that has sent nothing, an empty place in a ring."""
FORMAT = 2
FIRST_SENSORS = 16
FIRST_SEEN = 8


@dataclass(slots=True)
class State:
    """All arrays of one partition; ``[S]`` sensors, ``[S, M]`` measured, ``[S, W, A]`` windows."""

    stream: Stream
    slots: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    ticks: int = 0
    tick_at: int = 0

    def __post_init__(self) -> None:
        self._allocate(FIRST_SENSORS)

    @property
    def windows(self) -> int:
        """Places in the window ring: every minute that lateness can still reach, and one more."""
        return self.stream.lateness_s // WINDOW_S + 2

    def slots_of(self, sensors: list[str]) -> list[int]:
        """Return the row of each sensor, making rows for new ones."""
        found = [self.slots.get(name, -1) for name in sensors]
        for place, slot in enumerate(found):
            if slot < 0:
                found[place] = self._add(sensors[place])
        return found

    def snapshot(self) -> bytes:
        """Return everything needed to go on; only rows in use."""
        used = {key: array[: len(self.names)] for key, array in self.arrays.items()}
        head = {"format": FORMAT, "names": self.names, "ticks": self.ticks, "at": self.tick_at}
        buffer = io.BytesIO()
        packed = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
        np.savez(buffer, allow_pickle=False, head=packed, **used)
        return lz4.frame.compress(buffer.getvalue())

    def restore(self, data: bytes) -> None:
        """Take over a snapshot of the same stream; ValueError when its shape is another one."""
        with np.load(io.BytesIO(lz4.frame.decompress(data))) as stored:
            head = json.loads(stored["head"].tobytes())
            arrays = {key: stored[key] for key in stored.files if key != "head"}
        if head["format"] != FORMAT or set(arrays) != set(self.arrays):
            raise ValueError("the snapshot was made by another version")
        self.names, self.ticks, self.tick_at = head["names"], head["ticks"], head["at"]
        self.slots = {name: slot for slot, name in enumerate(self.names)}
        self.arrays = arrays
        self._grow(max(FIRST_SENSORS, len(self.names)))

    def widen_seen(self) -> None:
        """Double the room for remembered times."""
        seen = self.arrays["seen"]
        self.arrays["seen"] = np.concatenate([seen, np.full_like(seen, NEVER)], axis=1)

    def _add(self, name: str) -> int:
        if name in self.slots:
            return self.slots[name]
        slot = self.slots[name] = len(self.names)
        self.names.append(name)
        if slot >= len(self.arrays["newest"]):
            self._grow(2 * slot)
        # a sensor is silent only from its own first reading on
        self.arrays["last_tick"][slot] = self.ticks
        return slot

    def _grow(self, rows: int) -> None:
        old = self.arrays
        self._allocate(rows)
        for key, array in old.items():
            if key == "seen":
                width = array.shape[1]
                self.arrays[key] = np.full((rows, width), NEVER)
            self.arrays[key][: len(array)] = array

    def _allocate(self, rows: int) -> None:
        measured, all_ = len(self.stream.metrics), len(self.stream.aggregate_names)
        rules, w = len(self.stream.rules), self.windows
        a: dict[str, np.ndarray] = {
            "newest": np.full(rows, NEVER),
            "seen": np.full((rows, FIRST_SEEN), NEVER),
            "last_tick": np.zeros(rows, np.int64),
            "p1": np.full((rows, measured), np.nan),
            "p2": np.full((rows, measured), np.nan),
            "p1_at": np.full((rows, measured), NEVER),
            "run_at": np.full((rows, measured), NEVER),
            "w_start": np.full((rows, w), NEVER),
            "w_revision": np.zeros((rows, w), np.int32),
            "w_dirty": np.zeros((rows, w), bool),
            "w_rows": np.zeros((rows, w), np.int32),
            "w_n": np.zeros((rows, w, all_), np.int32),
            "w_good": np.zeros((rows, w, all_), np.int32),
            "w_sum": np.zeros((rows, w, all_)),
            "w_min": np.full((rows, w, all_), np.nan),
            "w_max": np.full((rows, w, all_), np.nan),
            "w_last": np.full((rows, w, all_), np.nan),
            "w_last_at": np.full((rows, w, all_), NEVER),
            "r_level": np.zeros((rows, rules), np.int8),
            "r_since": np.full((rows, rules, 4), NEVER),
            "r_clear": np.full((rows, rules, 4), NEVER),
            "r_raised": np.full((rows, rules), NEVER),
        }
        for rolling in self.stream.rolling:
            # a late reading's own window begins where the newest reading's does not reach any more
            reach = -(-self.stream.lateness_s // rolling.bucket_s)
            buckets = rolling.window_s // rolling.bucket_s + reach
            a[f"b_{rolling.name}_at"] = np.full((rows, buckets), NEVER)
            a[f"b_{rolling.name}_n"] = np.zeros((rows, buckets), np.int32)
            a[f"b_{rolling.name}_v"] = np.zeros((rows, buckets))
        self.arrays = a
