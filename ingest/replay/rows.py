"""Rows of a file become readings: the map made ready for one file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest.readings import FieldError
from ingest.replay.map import FILE, ReplayMap, SensorColumns
from ingest.replay.numbers import Numbers
from ingest.replay.table import Cells

Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its line, its time when readable, its cells."""

    line: int
    at: datetime | None
    cells: Cells
    error: FieldError | None = None


class _Sensor:
    """One sensor of the map: its id by the row's cells, its metrics by column."""

    def __init__(self, declared: SensorColumns, file: str) -> None:
        self._template = declared.id
        self._columns = declared.id_columns
        self._file = file
        self._ids: dict[tuple[str, ...], str] = {}
        self._fixed = None if declared.id_columns else declared.id.format()
        self.metrics = [
            (name, value.column, value.scale, value.offset)
            for name, value in declared.metrics.items()
        ]
        self.constants = declared.constants

    def id_of(self, row: Cells) -> str:
        """Return the sensor's id in this row."""
        if self._fixed is not None:
            return self._fixed
        key = tuple([self._file if c == FILE else row[c] for c in self._columns])
        if (known := self._ids.get(key)) is None:
            names = {c: text.strip() for c, text in zip(self._columns, key, strict=True)}
            known = self._ids[key] = self._template.format(**names)
        return known


class RowReader:
    """Makes the readings of each row of one file."""

    def __init__(self, plan: ReplayMap, file: str) -> None:
        self._numbers = Numbers(plan.decimal, plan.thousands, plan.missing)
        self._sensors = [_Sensor(sensor, file) for sensor in plan.sensors]

    def readings(self, row: Cells) -> Iterator[tuple[str, Metrics | FieldError]]:
        """Yield sensor id and metrics, or what is wrong, of each sensor of one row."""
        for sensor in self._sensors:
            yield sensor.id_of(row), self._metrics(sensor, row)

    def _metrics(self, sensor: _Sensor, row: Cells) -> Metrics | FieldError:
        metrics, read = {}, self._numbers.read
        for name, column, scale, offset in sensor.metrics:
            try:
                number = read(row[column])
            except ValueError as fault:
                return FieldError(None, column, "number", str(fault))
            if number is not None:
                metrics[name] = number * scale + offset
        if not metrics:
            return FieldError(None, "*", "no_metric", "every value of this reading is missing")
        return metrics | sensor.constants if sensor.constants else metrics
