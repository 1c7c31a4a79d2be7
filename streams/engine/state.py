"""State of one partition of one stream: arrays with a row per sensor, grown by doubling."""

import io
import json
from dataclasses import asdict, dataclass, field

import lz4.frame
import numpy as np

from catalog.city.sensors import sensor
from catalog.frames import Hearing
from catalog.model import Stream
from service.errors import FatalError
from streams.engine.layout import (
    FIRST_SEEN,
    NAMED,
    NEVER,
    Field,
    Labels,
    Ring,
    carry_over,
    fields,
    labels,
    rings,
    window_places,
)
from streams.engine.limits import Limits

US = 1_000_000
FORMAT = 3
FIRST_SENSORS = 16


class SnapshotError(FatalError):
    """A snapshot that this version cannot go on from; the message says what to do."""

    def __init__(self, what: str) -> None:
        todo = (
            "Run `python -m streams forget --yes` while no worker runs: the worker then works off"
            " the log from its beginning"
        )
        super().__init__(f"the stored state {what}. {todo}", code="snapshot", stage="processing")


@dataclass(slots=True)
class Silence:
    """What the shard knows of its whole stream: what it has told, what others have told it."""

    told: Hearing = "nobody"
    heard: dict[str, tuple[Hearing, int]] = field(default_factory=dict)
    """Shard to (what it hears, its tick)."""
    since: int = NEVER
    """Tick count since which nobody hears anything of the stream."""
    back: int = NEVER
    """Tick count at which it was last heard again."""
    raised: int = NEVER
    """Time of the open alert (epoch µs)."""


@dataclass(slots=True)
class Cache:
    """One rolling quantity of the buckets before the newest; can be computed anew at any time."""

    bucket: np.ndarray
    need: np.ndarray
    total: np.ndarray
    valid: np.ndarray


@dataclass(slots=True)
class State:
    """All arrays of one partition, by ``layout.fields``, and what derives from the catalog."""

    stream: Stream
    shard: int = 0
    slots: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    ticks: int = 0
    tick_at: int = 0
    silence: Silence = field(default_factory=Silence)
    placed: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    caches: dict[str, Cache] = field(default_factory=dict)
    fields: dict[str, Field] = field(init=False)
    limits: Limits = field(init=False)
    windows: int = field(init=False)
    rings: dict[str, Ring] = field(init=False)

    def __post_init__(self) -> None:
        self.fields = fields(self.stream)
        self.limits = Limits.of(self.stream)
        self.windows = window_places(self.stream)
        self.rings = rings(self.stream)
        self._allocate(FIRST_SENSORS)

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
        head = {
            "format": FORMAT,
            "names": self.names,
            "ticks": self.ticks,
            "at": self.tick_at,
            "silence": asdict(self.silence),
            "labels": labels(self.stream),
        }
        buffer = io.BytesIO()
        packed = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
        np.savez(buffer, allow_pickle=False, head=packed, **used)
        return lz4.frame.compress(buffer.getvalue())

    def restore(self, data: bytes) -> None:
        """Take over a snapshot of the stream; metrics and rules declared since begin anew.

        ``SnapshotError`` when it was made by another version, or before the stream's lateness or
        a rolling window changed its length.
        """
        with np.load(io.BytesIO(lz4.frame.decompress(data))) as stored:
            head = json.loads(stored["head"].tobytes())
            if head["format"] != FORMAT:
                raise SnapshotError(f"is of format {head['format']}, not {FORMAT}")
            arrays = {key: stored[key] for key in stored.files if key != "head"}
        self._check(head["labels"])
        self.names, self.ticks, self.tick_at = head["names"], head["ticks"], head["at"]
        self.silence = Silence(**head["silence"])
        self.slots = {name: slot for slot, name in enumerate(self.names)}
        self._allocate(max(FIRST_SENSORS, len(self.names)))
        for key, array in arrays.items():
            if key in self.arrays:
                self._take(key, array, head["labels"])
        for slot, name in enumerate(self.names):
            self._look_up(slot, name)

    def widen_seen(self) -> None:
        """Double the room for remembered times."""
        seen = self.arrays["seen"]
        self.arrays["seen"] = np.concatenate([seen, np.full_like(seen, NEVER)], axis=1)

    def _check(self, was: Labels) -> None:
        for axis, now in labels(self.stream).items():
            if axis not in NAMED and axis in was and was[axis] != now:
                lengths = f"{len(was[axis])} places of {axis}, now {len(now)} are declared"
                raise SnapshotError(f"of {self.stream.name} has {lengths}")

    def _take(self, key: str, old: np.ndarray, was: Labels) -> None:
        if key == "seen":
            self.arrays[key] = np.full((len(self.arrays[key]), old.shape[1]), NEVER)
            self.arrays[key][: len(old)] = old
        elif len(old):
            axes = self.fields[key].axes
            carry_over(old, self.arrays[key], axes, was, labels(self.stream))

    def _add(self, name: str) -> int:
        if name in self.slots:
            return self.slots[name]
        slot = self.slots[name] = len(self.names)
        self.names.append(name)
        if slot >= len(self.arrays["newest"]):
            self._grow(2 * slot)
        # a sensor is silent only from its own first reading on
        self.arrays["last_tick"][slot] = self.ticks
        self._look_up(slot, name)
        return slot

    def _look_up(self, slot: int, name: str) -> None:
        if known := sensor(self.stream.name, name):
            self.placed[slot] = True
            for attribute, values in self.attributes.items():
                values[slot] = known.attributes.get(attribute, np.nan)

    def _grow(self, rows: int) -> None:
        old, placed, attributes = self.arrays, self.placed, self.attributes
        self._allocate(rows)
        for key, array in old.items():
            if key == "seen":
                self.arrays[key] = np.full((rows, array.shape[1]), NEVER)
            self.arrays[key][: len(array)] = array
        self.placed[: len(placed)] = placed
        for attribute, values in attributes.items():
            self.attributes[attribute][: len(values)] = values

    def _allocate(self, rows: int) -> None:
        lengths = {axis: len(names) for axis, names in labels(self.stream).items()}
        lengths["seen"] = FIRST_SEEN
        self.arrays = {
            key: np.full((rows, *(lengths[axis] for axis in f.axes)), f.fill, f.dtype)
            for key, f in self.fields.items()
        }
        self.placed = np.zeros(rows, bool)
        self.attributes = {a.name: np.full(rows, np.nan) for a in self.stream.attributes}
        self.caches = {
            rolling.name: Cache(
                np.full(rows, NEVER), np.zeros(rows, np.int64), np.zeros(rows), np.zeros(rows, int)
            )
            for rolling in self.stream.rolling
        }
