"""One stream: the city and its districts over time, its sensors, and what is declared of it."""

from typing import Any, Literal

from nicegui import ui
from psycopg import Connection

from catalog.model import Metric, Stream
from catalog.registry import streams
from console import history, registry
from console.api.streams import kind_of
from console.frame import Page, View, keep_fresh, missing, panel
from console.history import By, Question, Span, chosen_span
from console.limit_table import limit_columns, limit_rows
from console.marks import WORST_FIRST, number, shown_unit, state_mark
from console.rows import district_title, sensor_link
from console.rule_words import rule_text
from console.widgets.chart import Chart, limits_of, lines_of, quantity_props, range_prop
from console.widgets.facts import Facts
from console.widgets.filters import (
    district_choice,
    filter_row,
    hours_choice,
    metric_choice,
    period_fields,
)
from console.widgets.table import Column, Table
from console.widgets.tools import compare_link

MOST = 500
Hours = Literal["1", "6", "24", "168", "720"]


async def stream(
    view: View,
    stream: str,
    metric: str = "",
    hours: Hours = "6",
    district: str = "",
    start: str = "",
    end: str = "",
) -> None:
    """Show the stream and follow it."""
    words, declared = view.words, streams().get(stream)
    if declared is None:
        missing(view, stream)
        return
    chosen = metric if metric in declared.aggregate_names else declared.headline
    ui.page_title(f"{words.of(declared.title)} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words('sensors.title')}", "/sensors")
        with ui.element("h1"):
            ui.label(words.of(declared.title))
        compare_link(words, declared.name, chosen)
    fields = [metric_choice(words, declared), hours_choice(words), *period_fields(words)]
    period = {"hours": hours, "start": start, "end": end}
    given = {"metric": chosen, "district": district} | period
    filter_row(words, [*fields, district_choice(words)], given)
    with ui.element("div").classes("two"):
        with ui.element("div").classes("column"):
            show_course = _course(view, declared, chosen)
            show_sensors = _sensors(view)
        with ui.element("div").classes("column"):
            show_facts = _declared(view, declared)

    async def read() -> None:
        span = chosen_span(view.desk.clock.now(), **period)
        language = words.language
        found = await view.ask(
            lambda conn: _ask(conn, declared, chosen, span, district or None, language)
        )
        show_course(span, found)
        show_sensors(found["sensors"])
        show_facts(found["sensors"])

    await read()
    keep_fresh(view, read)


def _ask(
    conn: Connection, declared: Stream, metric: str, span: Span, district: str | None, language: str
) -> dict[str, Any]:
    def lines(by: By) -> list[Any]:
        step = max(60, history.fitting_step(span, points=240))
        asked = Question(
            stream=declared,
            metric=metric,
            span=span,
            step_s=step,
            district=district,
            by=by,
            language=language,
        )
        return history.series(conn, asked)

    found = registry.sensors(conn, stream=declared.name, district=district, limit=MOST)
    return {"city": lines("all"), "districts": lines("district"), "sensors": found}


def _course(view: View, declared: Stream, metric: str) -> Any:
    words = view.words
    props = quantity_props(declared, metric)
    name = words.of(declared.quantity(metric).title)
    name += f" ({props['unit']})" if props["unit"] else ""
    with panel(words("stream.city", metric=name), "plot city"):
        city = Chart(words, name)
    with panel(words("stream.by_district", metric=name), "plot districts"):
        districts = Chart(words, name)
    limits = limits_of(words, declared, metric)

    def show(span: Span, found: dict[str, Any]) -> None:
        common = {"range": range_prop(span), "limits": limits, **props}
        city.show(lines=lines_of(found["city"]), **common)
        districts.show(lines=lines_of(found["districts"]), **common)

    return show


def _sensors(view: View) -> Any:
    words = view.words
    with panel(words("sensors.title"), "short sensors"):
        table = Table(
            [
                Column("state", words("sensors.state"), "state", width="110px"),
                Column("sensor", words("sensors.sensor"), "link"),
                Column("district", words("filter.district"), hide=True),
                Column("value", words("sensors.value"), "number"),
                Column("heard", words("sensors.heard"), "age"),
            ],
            label=words("sensors.title"),
            empty=words("sensors.nothing"),
        )

    def show(found: list[Any]) -> None:
        rows = sorted(found, key=lambda row: (WORST_FIRST.index(row["state"]), row["sensor"]))
        table.show(
            [
                {
                    "id": row["sensor"],
                    "mark": row["state"],
                    "state": state_mark(words, row["state"]),
                    "sensor": sensor_link(words, row),
                    "district": district_title(words, row["district"]),
                    "value": number(words, row["value"], row["unit"], row["decimals"]),
                    "heard": row["observed_at"].isoformat() if row["observed_at"] else None,
                }
                for row in rows
            ]
        )

    return show


def _declared(view: View, declared: Stream) -> Any:
    words = view.words
    with panel(words("stream.declared"), "glance"):
        facts = Facts(words("stream.declared"))
    with panel(words("stream.metrics"), "metrics"):
        metrics = Table(
            [
                Column("name", words("sensor.metric")),
                Column("unit", words("stream.unit")),
                Column("kind", words("stream.kind"), hide=True),
                Column("span", words("stream.span")),
            ],
            label=words("stream.metrics"),
            empty=words("app.nothing"),
        )
    metrics.show([_metric(view, declared, name) for name in declared.charted_names])
    with panel(words("stream.rules"), "rule"):
        _rules(view, declared)

    def show(found: list[Any]) -> None:
        fresh = sum(row["freshness"] == "fresh" for row in found)
        model = declared.smart_data_model
        facts.show(
            [
                (words("letters.id"), declared.name),
                (words("stream.cadence"), _seconds(declared.cadence_s)),
                (words("stream.lateness"), _seconds(declared.lateness_s)),
                (words("stream.sensors"), f"{fresh}/{len(found)}"),
                (words("stream.model"), f"{model.model} {model.version}" if model else ""),
            ]
        )

    return show


def _rules(view: View, declared: Stream) -> None:
    words = view.words
    columns = limit_columns(words)
    for rule in declared.rules:
        title = words.of(rule.title)
        with ui.element("div").classes("rule-head"):
            ui.link(title, f"/rules/{declared.rule_id(rule)}")
            ui.label(rule_text(words, rule)).classes("count")
        table = Table(columns, label=title, empty=words("app.nothing"))
        table.show(limit_rows(words, declared, rule))


def _metric(view: View, declared: Stream, name: str) -> dict[str, Any]:
    words, item = view.words, declared.quantity(name)
    span = ""
    if isinstance(item, Metric):
        low, high = item.fail_span
        span = f"{low:g} – {high:g}"
    return {
        "id": name,
        "name": words.of(item.title),
        "unit": shown_unit(item.unit),
        "kind": words(f"stream.kind_{kind_of(declared, name)}"),
        "span": span,
    }


def _seconds(value: int) -> dict[str, str]:
    return {"text": str(value), "unit": "s"}


PAGE = Page("/streams/{stream}", "stream.title", stream)
