"""Two days of one measure on the same axes, and districts side by side with their ranking."""

from datetime import date, datetime, timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.headline import in_screen_order
from catalog.model import Stream
from catalog.registry import streams
from catalog.site import zone
from console import history, registry
from console.comparison import (
    DEGREES,
    Course,
    by_label,
    course,
    day_span,
    low_is_bad,
    ranking,
    shifted,
)
from console.comparison_rows import Measure, day_rows, district_rows, sentence
from console.days import DayAsked
from console.frame import Page, View, missing, panel
from console.history import By, Question, Row, Span
from console.widgets.chart import Chart, limits_of, quantity_props
from console.widgets.filters import (
    Day,
    Search,
    district_choice,
    filter_row,
    metric_choice,
    stream_choice,
)
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools

STEP_S = 900
"""Quarters of an hour: kept for as long as days are, and the same for both."""


async def compare(
    view: View,
    stream: str = "",
    metric: str = "",
    day: DayAsked = None,
    other: DayAsked = None,
    district: str = "",
    sensor: str = "",
) -> None:
    """Show a day beside another one: of the city, a district or a sensor; and the districts."""
    words, now = view.words, view.desk.clock.now()
    declared = streams().get(stream) if stream else in_screen_order()[0]
    if declared is None:
        missing(view, stream)
        return
    known = await view.ask(lambda conn: registry.sensor(conn, declared.name, sensor))
    if sensor and known is None:
        missing(view, f"{declared.name}/{sensor}")
        return
    chosen = metric if metric in declared.aggregate_names else declared.headline
    first = day or now.astimezone(zone()).date()
    second = other or first - timedelta(days=1)
    fields = [
        stream_choice(words, one=True),
        metric_choice(words, declared),
        Day("day", words("compare.day")),
        Day("other", words("compare.other")),
        district_choice(words),
        Search("sensor", words("compare.sensor")),
    ]
    given = {"stream": declared.name, "metric": chosen, "district": district, "sensor": sensor}
    filter_row(words, fields, given | {"day": str(first), "other": str(second)})
    asked = _Asked(declared, chosen, district or None, sensor or None, words.language)
    found = await view.ask(lambda conn: asked.read(conn, first, second, now))
    whole = Span(*(datetime.combine(d, datetime.min.time(), zone()) for d in _bounds(first)))
    _days(view, asked, found, whole, (first, second), _name(view, known))
    if not sensor:
        _districts(view, asked, found, whole, (first, second))


class _Asked:
    """One measure of the city, a district or a sensor."""

    def __init__(
        self, stream: Stream, metric: str, district: str | None, sensor: str | None, language: str
    ) -> None:
        self.stream, self.metric, self._language = stream, metric, language
        self._district, self._sensor = district, sensor

    def read(self, conn: Connection, first: date, second: date, now: datetime) -> dict[str, Any]:
        spans = [day_span(d, now) for d in (first, second)]
        whole = [course(self._lines(conn, s, "all"), s.start) for s in spans]
        if self._sensor:
            return {"days": whole, "districts": [{}, {}]}
        parts = [by_label(self._lines(conn, s, "district"), s.start) for s in spans]
        return {"days": whole, "districts": parts}

    def _lines(self, conn: Connection, span: Span, by: By) -> list[Row]:
        if span.seconds <= 0:
            return []
        asked = Question(
            stream=self.stream,
            metric=self.metric,
            span=span,
            step_s=STEP_S,
            district=self._district if by == "all" else None,
            sensor=self._sensor,
            by=by,
            language=self._language,
        )
        return history.series(conn, asked)


def _days(
    view: View, asked: _Asked, found: Any, whole: Span, days: tuple[date, date], of: str
) -> None:
    words, (now, before) = view.words, found["days"]
    measure = Measure(words, asked.stream, asked.metric)
    name = _quantity(view, asked)
    title = words("compare.days", metric=f"{of} {name}".strip())
    with panel(title, "plot days"):
        chart = Chart(words, title)
    lines = [_line(str(d), c, whole) for d, c in zip(days, (now, before), strict=True)]
    chart.show(
        lines=lines,
        limits=limits_of(words, asked.stream, asked.metric),
        range=[whole.start.isoformat(), whole.end.isoformat()],
        **quantity_props(asked.stream, asked.metric),
    )
    with panel(title, "short figures") as side:
        ui.label(sentence(measure, *days, now, before)).classes("advice")
        table = Table(
            [
                Column("what", words("compare.what")),
                Column("day", str(days[0])),
                Column("other", str(days[1])),
                Column("difference", words("compare.difference"), "number"),
            ],
            label=title,
            empty=words("app.nothing"),
        )
        list_tools(words, side, table)
    table.show(day_rows(measure, now, before))


def _districts(view: View, asked: _Asked, found: Any, whole: Span, days: tuple[date, date]) -> None:
    words, (now, before) = view.words, found["districts"]
    measure, name = Measure(words, asked.stream, asked.metric), _quantity(view, asked)
    title = words("compare.districts", day=days[0], metric=name)
    with panel(title, "plot districts"):
        chart = Chart(words, title)
    chart.show(
        lines=[_line(label, one, whole) for label, one in now.items()],
        limits=limits_of(words, asked.stream, asked.metric),
        range=[whole.start.isoformat(), whole.end.isoformat()],
        **quantity_props(asked.stream, asked.metric),
    )
    if measure.unit == DEGREES:
        return
    label = words("compare.ranking", metric=name)
    with panel(label, "short ranking") as side:
        table = Table(_columns(view, days[1]), label=label, empty=words("compare.no_districts"))
        list_tools(words, side, table)
    ranked = ranking(now, before, low_first=low_is_bad(asked.stream, asked.metric))
    table.show(district_rows(measure, ranked))


def _columns(view: View, other: date) -> list[Column]:
    words = view.words
    return [
        Column("place", words("compare.place"), "number", width="60px"),
        Column("district", words("filter.district")),
        Column("mean", words("compare.mean"), "number"),
        Column("high", words("compare.high"), "number"),
        Column("low", words("compare.low"), "number", hide=True),
        Column("other", words("compare.other_mean", other=other), "number", hide=True),
        Column("difference", words("compare.difference"), "number"),
    ]


def _line(name: str, of: Course, whole: Span) -> dict[str, Any]:
    points = [[at.isoformat(), value] for at, value in shifted(of, whole.start)]
    return {"name": name, "points": points}


def _bounds(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _name(view: View, known: Row | None) -> str:
    return view.words.pick(known["title_zh"], known["title_en"], known["sensor"]) if known else ""


def _quantity(view: View, asked: _Asked) -> str:
    unit = quantity_props(asked.stream, asked.metric)["unit"]
    title = view.words.of(asked.stream.quantity(asked.metric).title)
    return f"{title} ({unit})" if unit else title


PAGE = Page("/compare", "compare.title", compare)
