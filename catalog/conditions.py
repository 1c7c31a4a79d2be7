"""When a limit applies: by a schedule of the city's days and hours, or by the sun."""

from typing import Literal

from pydantic import model_validator

from catalog.base import Frozen

Hours = tuple[int, int]


class Schedule(Frozen):
    """Local hours [from, to), wrapping at midnight; kinds of days; months, both included.

    What is not given does not matter. Days are those of the site's calendar: ``working`` with its
    make-up days, ``free`` with weekends and holidays. Hours past midnight are the next day's.
    """

    kind: Literal["schedule"] = "schedule"
    hours: Hours | None = None
    days: Literal["working", "free"] | None = None
    months: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Schedule":
        if self.hours is None and self.days is None and self.months is None:
            raise ValueError("a schedule names hours, days or months")
        if self.hours and not (0 <= self.hours[0] < 24 and 0 <= self.hours[1] <= 24):
            raise ValueError(f"hours {self.hours} are not in a day")
        if self.hours and self.hours[0] == self.hours[1]:
            raise ValueError(f"hours {self.hours} are none; leave them out for all")
        if self.months and not all(1 <= month <= 12 for month in self.months):
            raise ValueError(f"months {self.months} are not in a year")
        return self

    def words(self) -> tuple[str, str]:
        """Return it in Chinese and English."""
        zh, en = [], []
        if self.months:
            zh.append("{}–{} 月".format(*self.months))
            en.append("months {}–{}".format(*self.months))
        if self.days:
            zh.append({"working": "工作日", "free": "非工作日"}[self.days])
            en.append(f"{self.days} days")
        if self.hours:
            zh.append("{}–{} 时".format(*self.hours))
            en.append("{} to {} h".format(*self.hours))
        return " ".join(zh), ", ".join(en)


class Sun(Frozen):
    """While the sun's centre stands below, or above, so many degrees at the site's centre.

    Sunrise and sunset are at -0.833 (refraction, half the disc); civil twilight ends at -6.
    """

    kind: Literal["sun"] = "sun"
    below: float | None = None
    above: float | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Sun":
        if (self.below is None) == (self.above is None):
            raise ValueError("the sun is below, or above, an elevation")
        return self

    def words(self) -> tuple[str, str]:
        """Return it in Chinese and English."""
        if self.below is not None:
            return f"太阳高度低于 {self.below:g}°", f"sun below {self.below:g}°"
        return f"太阳高度高于 {self.above:g}°", f"sun above {self.above:g}°"


Condition = Schedule | Sun
