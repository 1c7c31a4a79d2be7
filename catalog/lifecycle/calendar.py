"""Working time: deadlines in hours and days of several kinds, over holidays and make-up days.

Two kinds of limit run on without a break (``urgent_hours``, ``natural_days``); two count working
time only (``working_hours``, ``working_days``). A working day is one day's working hours, so three
working days from 10:00 end at 10:00 three working days later. A limit that is used up exactly at
the end of a working day is due then, not the next morning.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from catalog.base import Frozen, Text, text

Unit = Literal["urgent_hours", "working_hours", "working_days", "natural_days"]
UNITS: dict[Unit, Text] = {
    "urgent_hours": text("紧急工作时", "hours, day and night"),
    "working_hours": text("工作时", "working hours"),
    "working_days": text("工作日", "working days"),
    "natural_days": text("自然日", "days"),
}
LONGEST_DAYS = 3660
SATURDAY = 5


class Limit(Frozen):
    """How long something may take, by which kind of clock."""

    amount: float = Field(gt=0, le=LONGEST_DAYS)
    unit: Unit

    def words(self) -> Text:
        """Return it as people say it."""
        unit = UNITS[self.unit]
        return text(f"{self.amount:g}{unit.zh}", f"{self.amount:g} {unit.en}")


class Holiday(Frozen):
    """Days off in a row, first and last included."""

    name: str
    first: date
    last: date


class WorkingYear(Frozen):
    """What the notice of a year says: days off, and weekend days that are worked instead."""

    year: int
    source: str
    holidays: tuple[Holiday, ...]
    make_up_days: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _is_sound(self) -> "WorkingYear":
        off = self.days_off()
        for day in (*off, *self.make_up_days):
            if day.year != self.year:
                raise ValueError(f"{day} does not lie in {self.year}")
        for day in self.make_up_days:
            if day in off:
                raise ValueError(f"{day} is a holiday and a make-up day")
            if day.weekday() < SATURDAY:
                raise ValueError(f"{day} is a make-up day but no day of a weekend")
        return self

    def days_off(self) -> frozenset[date]:
        """Return every day of every holiday."""
        return frozenset(
            h.first + timedelta(days=n)
            for h in self.holidays
            for n in range((h.last - h.first).days + 1)
        )


class Calendar(Frozen):
    """A site's working time. A year without a notice counts Monday to Friday, see ``knows``."""

    zone: str
    hours: tuple[tuple[time, time], ...] = Field(min_length=1)
    """Spans of a working day, local time, in order."""
    years: dict[int, WorkingYear]

    @model_validator(mode="after")
    def _is_sound(self) -> "Calendar":
        edges = [edge for span in self.hours for edge in span]
        if edges != sorted(set(edges)):
            raise ValueError("working hours run forward and do not overlap")
        return self

    def knows(self, at: datetime) -> bool:
        """Tell whether the notice of that year is here; else working time is provisional."""
        return at.astimezone(ZoneInfo(self.zone)).year in self.years

    def is_workday(self, day: date) -> bool:
        """Tell whether a local day is worked."""
        year = self.years.get(day.year)
        if year and day in year.make_up_days:
            return True
        return day.weekday() < SATURDAY and not (year and day in year.days_off())

    def length(self, limit: Limit) -> timedelta:
        """Return how much of its own kind of time a limit gives."""
        if limit.unit == "natural_days":
            return timedelta(days=limit.amount)
        if limit.unit == "working_days":
            return limit.amount * self._day()
        return timedelta(hours=limit.amount)

    def add(self, start: datetime, length: timedelta, unit: Unit) -> datetime:
        """Return when a length of time of this kind has passed since ``start`` (UTC).

        Nothing left means now. ``OverflowError`` beyond ten years.
        """
        if unit in ("urgent_hours", "natural_days") or length <= timedelta():
            return start.astimezone(UTC) + max(length, timedelta())
        left = length
        for begin, end in self._spans(start):
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise OverflowError(f"{length} of working time does not end within ten years")

    def spent(self, begin: datetime, end: datetime, unit: Unit) -> timedelta:
        """Return how much time of this kind lies between two moments; never negative."""
        if end <= begin:
            return timedelta()
        if unit in ("urgent_hours", "natural_days"):
            return end - begin
        total = timedelta()
        for first, last in self._spans(begin):
            if first >= end:
                break
            total += min(last, end) - first
        return total

    def _day(self) -> timedelta:
        anchor = date(2000, 1, 1)
        spans = ((datetime.combine(anchor, a), datetime.combine(anchor, b)) for a, b in self.hours)
        return sum((b - a for a, b in spans), timedelta())

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield working spans from ``start`` on, in UTC; the first may be what is left of one."""
        zone = ZoneInfo(self.zone)
        begun = start.astimezone(UTC)
        first = start.astimezone(zone).date()
        for n in range(LONGEST_DAYS):
            day = first + timedelta(days=n)
            if not self.is_workday(day):
                continue
            for opens, closes in self.hours:
                begin = datetime.combine(day, opens, zone).astimezone(UTC)
                end = datetime.combine(day, closes, zone).astimezone(UTC)
                if end > begun:
                    yield max(begin, begun), end
