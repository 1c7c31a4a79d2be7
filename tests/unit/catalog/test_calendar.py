"""Working time over Golden Week, make-up days, pauses; and laws that hold for any two moments."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.lifecycle.calendar import UNITS, Limit, Unit, WorkingYear
from catalog.lifecycle.working_time import working_time

ZONE = ZoneInfo("Asia/Shanghai")
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)).map(
    lambda at: at.replace(tzinfo=ZONE)
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


GOLDEN: list[tuple[str, float, Unit, str]] = [
    # within a day, over the noon break, over the night
    ("2026-09-29 09:30", 2, "working_hours", "2026-09-29 11:30"),
    ("2026-09-29 11:00", 2, "working_hours", "2026-09-29 14:00"),
    ("2026-09-29 16:00", 2, "working_hours", "2026-09-30 10:00"),
    # used up exactly at the end of the day
    ("2026-09-29 13:00", 4, "working_hours", "2026-09-29 17:00"),
    # Golden Week 2026: 1 to 7 October off, Saturday 10 October is worked
    ("2026-09-30 16:00", 4, "working_hours", "2026-10-08 12:00"),
    ("2026-09-30 16:00", 4, "urgent_hours", "2026-09-30 20:00"),
    ("2026-09-30 10:00", 3, "working_days", "2026-10-10 10:00"),
    ("2026-09-30 10:00", 3, "natural_days", "2026-10-03 10:00"),
    ("2026-10-03 20:00", 1, "working_hours", "2026-10-08 10:00"),
    # Sunday 20 September is worked, Friday 25 is the Mid-Autumn Festival
    ("2026-09-19 12:00", 1, "working_hours", "2026-09-20 10:00"),
    ("2026-09-24 16:00", 2, "working_hours", "2026-09-28 10:00"),
    # Golden Week 2025: 1 to 8 October off, 28 September and 11 October are worked
    ("2025-09-30 16:30", 1, "working_hours", "2025-10-09 09:30"),
    ("2025-09-27 08:00", 7, "working_hours", "2025-09-28 17:00"),
    ("2025-09-30 09:00", 4, "working_days", "2025-10-11 17:00"),
    # Spring Festival 2026: 15 to 23 February off, 14 and 28 are worked
    ("2026-02-13 16:00", 2, "working_hours", "2026-02-14 10:00"),
    ("2026-02-14 16:30", 1, "working_hours", "2026-02-24 09:30"),
]


@pytest.mark.parametrize(("start", "amount", "unit", "due"), GOLDEN)
def test_deadlines_over_holidays_and_make_up_days(
    start: str, amount: float, unit: Unit, due: str
) -> None:
    calendar = working_time()
    length = calendar.length(Limit(amount=amount, unit=unit))
    found = calendar.add(local(start), length, unit)
    assert found == local(due)
    assert calendar.spent(local(start), found, unit) == length


def test_a_pause_moves_the_deadline_by_what_was_left() -> None:
    """Four working hours from 30 September 15:00, suspended from 16:00 until after the holiday."""
    calendar = working_time()
    spent = calendar.spent(local("2026-09-30 15:00"), local("2026-09-30 16:00"), "working_hours")
    left = timedelta(hours=4) - spent
    due = calendar.add(local("2026-10-08 09:00"), left, "working_hours")
    assert due == local("2026-10-08 12:00")


@settings(deadline=None)
@given(MOMENTS, st.floats(0.01, 60), st.sampled_from(list(UNITS)))
def test_what_was_added_was_spent(start: datetime, amount: float, unit: Unit) -> None:
    calendar = working_time()
    length = calendar.length(Limit(amount=amount, unit=unit))
    due = calendar.add(start, length, unit)
    assert due.tzinfo is UTC
    assert calendar.spent(start, due, unit) == length
    assert calendar.spent(start, due - timedelta(microseconds=1), unit) < length


@settings(deadline=None)
@given(MOMENTS, MOMENTS, MOMENTS, st.sampled_from(list(UNITS)))
def test_time_spent_adds_up(a: datetime, b: datetime, c: datetime, unit: Unit) -> None:
    a, b, c = sorted((a, b, c))
    spent = working_time().spent
    assert spent(a, b, unit) + spent(b, c, unit) == spent(a, c, unit)
    assert spent(b, a, unit) == timedelta()


def test_years_have_as_many_workdays_as_the_notices_leave() -> None:
    """2025 has 248 workdays, 2026 has 248: weekdays less days off plus make-up days."""
    calendar = working_time()
    for year, expected in ((2025, 248), (2026, 248)):
        days = (date(year, 1, 1) + timedelta(days=n) for n in range(365))
        assert sum(map(calendar.is_workday, days)) == expected


def test_a_year_without_a_notice_is_provisional() -> None:
    calendar = working_time()
    assert calendar.knows(local("2026-12-31 23:59"))
    assert not calendar.knows(local("2027-01-01 00:00"))
    assert calendar.is_workday(date(2027, 10, 1))


@pytest.mark.parametrize(
    ("make_up", "said"),
    [
        (date(2026, 10, 3), "is a holiday and a make-up day"),
        (date(2026, 11, 3), "no day of a weekend"),
        (date(2027, 1, 2), "does not lie in 2026"),
    ],
)
def test_a_wrong_year_says_what_is_wrong(make_up: date, said: str) -> None:
    october = {"name": "国庆节", "first": date(2026, 10, 1), "last": date(2026, 10, 7)}
    with pytest.raises(ValidationError, match=said):
        WorkingYear.model_validate(
            {"year": 2026, "source": "x", "holidays": [october], "make_up_days": [make_up]}
        )
