"""When a row was: the columns of its time, in a named or written format, in a zone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest.replay.time_forms import EXCEL, UNIX, time_reader
from ingest.replay.workbook import DateCell

NAMED = ("iso", *UNIX, *EXCEL)
DAY = timedelta(days=1)
STEADY = ("UTC", "Etc/")
"""Beginnings of the names of zones whose clocks never change."""


class TimeColumns(BaseModel):
    """Where the time is: columns joined by one space, read by ``format`` in ``zone``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...] = Field(min_length=1)
    format: str
    zone: str | None = None
    repeated_hour: Literal["order", "first", "second"] = "order"
    """Which one a time of the hour is that comes twice in autumn."""

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        try:
            if zone is not None:
                ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone {zone!r}, write one like Asia/Shanghai") from None
        return zone

    @model_validator(mode="after")
    def _format_and_zone_fit(self) -> "TimeColumns":
        if self.format not in NAMED and "%" not in self.format:
            raise ValueError(f"format {self.format!r} is none of {', '.join(NAMED)} and has no %")
        if "%s" in self.format:
            raise ValueError('seconds since 1970 are format = "unix_s"')
        if self.zone is None and not self._has_zone:
            raise ValueError("these times have no zone of their own: write zone, Asia/Shanghai say")
        return self

    @property
    def _has_zone(self) -> bool:
        return self.format in UNIX or self.format == "iso" or "%z" in self.format

    @property
    def may_repeat(self) -> bool:
        """Tell whether the zone may have hours that come twice."""
        return self.zone is not None and not self.zone.startswith(STEADY)


class TimeReader:
    """Reads the times of rows; made once for a file."""

    def __init__(self, declared: TimeColumns, decimal: str = ".") -> None:
        self._columns = declared.columns
        self._only = declared.columns[0] if len(declared.columns) == 1 else None
        self._declared = declared
        self._read = time_reader(declared.format, decimal)
        self._place = ZoneInfo(declared.zone) if declared.zone else None
        self._offsets: dict[date, timedelta | None] = {}

    def read(self, row: Mapping[str, str]) -> tuple[datetime, datetime | None]:
        """Return the row's time in UTC, and the second one it may be in an hour that comes twice.

        ``ValueError`` when the text does not fit the format, has no zone, or names an hour that
        the zone leaves out in spring.
        """
        wall = self._wall(row)
        if wall.tzinfo is not None:
            return wall.astimezone(UTC), None
        if self._place is None:
            raise ValueError(f"{wall} has no zone, and the map names none")
        day = wall.date()
        if day not in self._offsets:
            self._offsets[day] = self._offset_of_day(day)
        offset = self._offsets[day]
        if offset is not None:
            return (wall - offset).replace(tzinfo=UTC), None
        return self._on_a_changing_day(wall, self._place)

    def _wall(self, row: Mapping[str, str]) -> datetime:
        if self._only is None:
            return self._read(" ".join([row[c].strip() for c in self._columns]))
        cell = row[self._only]
        if type(cell) is DateCell:
            if self._declared.format in UNIX:
                raise ValueError(f"{cell} is a date, not a count of seconds")
            return cell.moment
        return self._read(cell.strip())

    def _on_a_changing_day(
        self, wall: datetime, place: ZoneInfo
    ) -> tuple[datetime, datetime | None]:
        first = wall.replace(tzinfo=place).astimezone(UTC)
        second = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
        if second < first:
            zone = self._declared.zone
            raise ValueError(f"{wall} does not exist in {zone}, where clocks go forward")
        if second == first or self._declared.repeated_hour == "first":
            return first, None
        return (second, None) if self._declared.repeated_hour == "second" else (first, second)

    def _offset_of_day(self, day: date) -> timedelta | None:
        """Return the offset of all times of the day, None when clocks change within it."""
        start = datetime(day.year, day.month, day.day, tzinfo=self._place)
        edges = (start, start + DAY if day < date.max else start)
        offsets = {t.replace(fold=fold).utcoffset() for t in edges for fold in (0, 1)}
        return offsets.pop() if len(offsets) == 1 else None
