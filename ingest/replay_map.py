"""Replay maps: TOML files that say how the columns of a CSV file become readings of a stream."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.model import Stream
from ingest.readings import FieldError
from service.errors import FatalError

FILE = "file"
"""Stands for the CSV file's name without its ending in a sensor's id."""


class Part(BaseModel):
    """Base of all parts of a map: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class TimeColumns(Part):
    """Where the time is: columns joined by one space, read by ``format`` in ``zone``."""

    columns: tuple[str, ...] = Field(min_length=1)
    format: str
    zone: str

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone {zone!r}, write one like Asia/Shanghai") from None
        return zone

    @cached_property
    def _place(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def read(self, row: Mapping[str, str], before: datetime | None = None) -> datetime:
        """Return the row's time in UTC; ``before`` is that of the row before it.

        ``ValueError`` when the text does not fit the format, or names an hour that the zone leaves
        out in spring. An hour that comes twice in autumn is the second one once time would run
        back by less than it.
        """
        moment = datetime.strptime(" ".join(row[c].strip() for c in self.columns), self.format)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        first = moment.replace(tzinfo=self._place).astimezone(UTC)
        second = moment.replace(tzinfo=self._place, fold=1).astimezone(UTC)
        if second < first:
            raise ValueError(f"{moment} does not exist in {self.zone}, where clocks go forward")
        if before and second - first >= before - first > timedelta(0):
            return second
        return first


class Value(Part):
    """One metric: ``column`` × ``scale`` + ``offset`` in the metric's unit."""

    column: str
    scale: float = 1.0
    offset: float = 0.0


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


class ReplayMap(Part):
    """A whole map: for which stream, when, who, what."""

    title: str
    stream: str
    time: TimeColumns
    sensors: tuple[SensorColumns, ...] = Field(min_length=1)
    missing: tuple[str, ...] = ("", "NA", "NaN", "null")
    where: tuple[Where, ...] = ()

    @property
    def columns(self) -> set[str]:
        """Every column the CSV file must have."""
        named = {*self.time.columns, *(w.column for w in self.where)}
        for sensor in self.sensors:
            named |= {value.column for value in sensor.metrics.values()}
            named |= set(sensor.id_columns) - {FILE}
        return named

    def keeps(self, row: Mapping[str, str]) -> bool:
        """Tell whether the row passes every filter."""
        return all(row[w.column].strip() in w.values for w in self.where)

    def readings(
        self, row: Mapping[str, str], file: str
    ) -> Iterator[tuple[str, dict[str, float] | FieldError]]:
        """Yield sensor id and metrics, or what is wrong, of each sensor of one row."""
        for sensor in self.sensors:
            names = {c: file if c == FILE else row[c].strip() for c in sensor.id_columns}
            yield sensor.id.format(**names), self._metrics(sensor, row)

    def _metrics(
        self, sensor: SensorColumns, row: Mapping[str, str]
    ) -> dict[str, float] | FieldError:
        metrics = {}
        for name, value in sensor.metrics.items():
            cell = row[value.column].strip()
            if cell in self.missing:
                continue
            number = _number(cell)
            if number is None:
                return FieldError(None, value.column, "number", f"{cell[:40]!r} is no number")
            metrics[name] = number * value.scale + value.offset
        if not metrics:
            return FieldError(None, "*", "no_metric", "every value of this reading is missing")
        return metrics | sensor.constants


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
    return _renamed(found, sensor, path) if sensor else found


def _renamed(found: ReplayMap, sensor: str, path: Path) -> ReplayMap:
    if len(found.sensors) > 1:
        raise _wrong(path, f"--sensor needs a map of one sensor, this one has {len(found.sensors)}")
    escaped = sensor.replace("{", "{{").replace("}", "}}")
    only = next(iter(found.sensors)).model_copy(update={"id": escaped})
    return found.model_copy(update={"sensors": (only,)})


def _number(cell: str) -> float | None:
    if "_" in cell or not cell.isascii():  # Python reads 1_000 and Arabic digits as well
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _wrong(path: Path, what: str) -> FatalError:
    return FatalError(f"map {path}: {what}", code="replay_map", stage="receiving")
