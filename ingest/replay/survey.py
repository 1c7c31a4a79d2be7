"""The first look at a whole file: its rows, its times, their order, the marks of its numbers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from ingest.readings import FieldError
from ingest.replay.faults import unusable
from ingest.replay.map import ReplayMap
from ingest.replay.numbers import Marks
from ingest.replay.order import Order
from ingest.replay.rows import Row
from ingest.replay.table import Table
from ingest.replay.times import TimeReader

EVERY_ROWS = 10_000


@dataclass(slots=True)
class Survey:
    """What one pass over the file found."""

    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    order: str = ""
    second_hours: dict[int, bool] = field(default_factory=dict)
    """Rows of an hour that comes twice, by place in the file: whether they lie in the second."""

    @property
    def span(self) -> tuple[datetime, datetime]:
        """First and last time; there is one, or the file could not be replayed."""
        if self.first is None or self.last is None:
            raise AssertionError("a survey without a time")
        return self.first, self.last


def survey(
    table: Table, plan: ReplayMap, on_rows: Callable[[int], None] = lambda _: None
) -> Survey:
    """Return what the file holds; ``on_rows`` hears of the rows so far.

    ``FatalError`` when no time is readable, or the numbers' marks are not those of the map.
    """
    found, order, marks = Survey(), Order(), Marks()
    times = TimeReader(plan.time, plan.decimal)
    sensor = itemgetter(*plan.id_columns) if plan.id_columns else lambda _: ""
    values, first_error = plan.value_columns, None
    for number, (_, cells) in enumerate(table.rows()):
        found.rows = number + 1
        if found.rows % EVERY_ROWS == 0:
            on_rows(found.rows)
        if isinstance(cells, FieldError):
            first_error = first_error or cells
            continue
        try:
            at, again = times.read(cells)
        except (ValueError, OverflowError) as fault:
            first_error = first_error or _time_error(fault)
            continue
        if found.first is None or at < found.first:
            found.first = at
        if found.last is None or at > found.last:
            found.last = at
        if plan.keeps(cells):
            order.add(number, sensor(cells), at, again)
            for column in values:
                marks.add(cells[column])
    on_rows(found.rows)
    if found.first is None:
        raise _no_time(table, plan, first_error)
    if advice := marks.advice(plan.decimal, plan.thousands):
        raise unusable(table.path, advice)
    found.order, found.second_hours = order.words, order.second_hours()
    return found


def timed_rows(table: Table, plan: ReplayMap, found: Survey) -> Iterator[Row]:
    """Yield each row of the file with its time, or with what is wrong with it."""
    times = TimeReader(plan.time, plan.decimal)
    second_hours = found.second_hours
    for number, (line, cells) in enumerate(table.rows()):
        if isinstance(cells, FieldError):
            yield Row(line, None, {}, cells)
            continue
        try:
            at, again = times.read(cells)
        except (ValueError, OverflowError) as fault:
            yield Row(line, None, cells, _time_error(fault))
            continue
        if again is None:
            yield Row(line, at, cells)
        elif number in second_hours:
            yield Row(line, again if second_hours[number] else at, cells)
        elif plan.keeps(cells):
            yield Row(line, None, cells, _repeated(plan, cells))
        else:
            yield Row(line, at, cells)


def _time_error(fault: Exception) -> FieldError:
    return FieldError(None, "observed_at", "time", str(fault)[:200])


def _repeated(plan: ReplayMap, cells: dict[str, str]) -> FieldError:
    text = " ".join(cells[c].strip() for c in plan.time.columns)[:40]
    words = (
        f"{text} comes twice in {plan.time.zone}, and the order of rows does not show which it is; "
        'repeated_hour = "first" or "second" in the map decides'
    )
    return FieldError(None, "observed_at", "repeated_hour", words)


def _no_time(table: Table, plan: ReplayMap, error: FieldError | None) -> Exception:
    if error is None:
        return unusable(table.path, "it has a header and no rows")
    form = plan.time.format
    words = f"no row has a time of the form {form!r}; the first: {error.detail}"
    return unusable(table.path, words)
