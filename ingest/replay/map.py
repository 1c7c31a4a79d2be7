"""Replay maps: TOML files that say how the columns of a file become readings of a stream."""

import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.errors import FatalError
from catalog.model import Stream
from ingest.replay.header import FileForm
from ingest.replay.times import TimeColumns
from ingest.replay.units import conversion

FILE = "file"
"""Stands for the file's name without its ending in a sensor's id."""


class Part(BaseModel):
    """Base of all parts of a map: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Value(Part):
    """One metric: ``column`` in ``unit``, or × ``scale`` + ``offset``, in the metric's unit."""

    column: str
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0

    @model_validator(mode="after")
    def _one_way(self) -> "Value":
        if self.unit is not None and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError("write unit, or scale and offset, not both")
        return self

    def converted(self, wanted: str) -> "Value":
        """Return the value with its unit's scale and offset; ``ValueError`` if none are known."""
        if self.unit is None:
            return self
        scale, offset = conversion(self.unit, wanted)
        return self.model_copy(update={"scale": scale, "offset": offset})


class SensorColumns(Part):
    """One sensor of every row: its id, with ``{column}`` or ``{file}`` filled in, and metrics."""

    id: str
    metrics: dict[str, Value] = Field(min_length=1)
    constants: dict[str, float] = {}

    @cached_property
    def id_columns(self) -> tuple[str, ...]:
        """Names in braces within the id."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.id) if name)


class Where(Part):
    """Keep only rows whose ``column`` holds one of ``values``."""

    column: str
    values: tuple[str, ...] = Field(min_length=1)


class ReplayMap(FileForm):
    """A whole map: for which stream, when, who, what, and what its files look like."""

    title: str
    stream: str
    time: TimeColumns
    sensors: tuple[SensorColumns, ...] = Field(min_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'", "’"] = ""
    missing: tuple[str, ...] = ()
    """Texts without a value, beside the usual ones."""
    where: tuple[Where, ...] = ()

    @model_validator(mode="after")
    def _marks_differ(self) -> "ReplayMap":
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same mark")
        return self

    @property
    def id_columns(self) -> tuple[str, ...]:
        """Columns that name the sensors."""
        named = {c for sensor in self.sensors for c in sensor.id_columns if c != FILE}
        return tuple(sorted(named))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """Columns that hold numbers."""
        return tuple(sorted({v.column for s in self.sensors for v in s.metrics.values()}))

    @property
    def columns(self) -> set[str]:
        """Every column the file must have."""
        filters = {w.column for w in self.where}
        return {*self.time.columns, *filters, *self.id_columns, *self.value_columns}

    def keeps(self, row: Mapping[str, str]) -> bool:
        """Tell whether the row passes every filter."""
        return all(row[w.column].strip() in w.values for w in self.where)


def load_map(path: Path, stream: Stream, sensor: str | None = None) -> ReplayMap:
    """Return the map in ``path`` for ``stream``; ``sensor`` replaces the id of its one sensor.

    Raises ``FatalError`` that names the file, the key and what to write instead.
    """
    try:
        content: Any = tomllib.loads(path.read_text("utf-8"))
        found = ReplayMap.model_validate(content)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from None
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise _wrong(path, "; ".join(faults)) from None
    if found.stream != stream.name:
        raise _wrong(path, f"it is for stream {found.stream}, not {stream.name}")
    unknown = {m for s in found.sensors for m in (*s.metrics, *s.constants)}
    unknown -= set(stream.metric_names)
    if unknown:
        known = ", ".join(stream.metric_names)
        raise _wrong(path, f"{', '.join(sorted(unknown))}: {stream.name} has {known}")
    found = _converted(found, stream, path)
    return _renamed(found, sensor, path) if sensor else found


def _renamed(found: ReplayMap, sensor: str, path: Path) -> ReplayMap:
    if len(found.sensors) > 1:
        raise _wrong(path, f"--sensor needs a map of one sensor, this one has {len(found.sensors)}")
    escaped = sensor.replace("{", "{{").replace("}", "}}")
    only = next(iter(found.sensors)).model_copy(update={"id": escaped})
    return found.model_copy(update={"sensors": (only,)})


def _converted(found: ReplayMap, stream: Stream, path: Path) -> ReplayMap:
    units = {m.name: m.unit for m in stream.metrics}
    sensors = []
    for sensor in found.sensors:
        try:
            metrics = {n: value.converted(units[n]) for n, value in sensor.metrics.items()}
        except ValueError as error:
            raise _wrong(path, str(error)) from None
        sensors.append(sensor.model_copy(update={"metrics": metrics}))
    return found.model_copy(update={"sensors": tuple(sensors)})


def _wrong(path: Path, what: str) -> FatalError:
    return FatalError(f"map {path}: {what}", code="replay_map", stage="receiving")
