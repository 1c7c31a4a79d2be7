"""The forecast on a sensor's page: a day back, the fan of what comes, and its record in words."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection
from psycopg.rows import dict_row

from catalog.model import Stream
from console.frame import View, panel
from console.history import Question, Row, Span, series
from console.marks import local_time, number
from console.widgets.chart import Chart, limits_of, lines_of, quantity_props, range_prop

BACK = timedelta(hours=24)
LEAD_H = 3
DAYS = 30
FEW = 24
"""Scores from which on a record says something."""
HOUR_S = 3600
ASK = "SELECT * FROM dash.forecast(%s, %s, %s)"
RECORD = "SELECT * FROM dash.forecast_skill(%s, %s, %s) WHERE subject = %s AND metric = %s"


def is_forecast(declared: Stream, metric: str) -> bool:
    """Tell whether the stream's declaration forecasts this quantity per sensor."""
    return any(f.of == metric and "sensor" in f.levels for f in declared.forecast)


def ask_forecast(
    conn: Connection, declared: Stream, sensor: str, metric: str, now: datetime
) -> dict[str, Any]:
    """Return the fan, the day before it, and the record of the last month."""
    past = Span(now - BACK, now)
    with conn.cursor(row_factory=dict_row) as cursor:
        fan = cursor.execute(ASK, [declared.name, metric, sensor]).fetchall()
        record = cursor.execute(RECORD, [declared.name, LEAD_H, DAYS, sensor, metric]).fetchone()
    asked = Question(stream=declared, metric=metric, span=past, step_s=HOUR_S, sensor=sensor)
    return {"fan": fan, "record": record, "past": series(conn, asked), "now": now}


def forecast_panel(
    view: View, declared: Stream, metric: str
) -> Callable[[dict[str, Any], dict[str, Any] | None], None]:
    """Add the panel; return what shows an answer of `ask_forecast` in it."""
    words, props = view.words, quantity_props(declared, metric)
    name = words.of(declared.quantity(metric).title)
    with panel(words("sensor.forecast_of", metric=name), "plot forecast") as side:
        chart = Chart(words, name, none=words("sensor.forecast_none"))
        with side:
            said = ui.label().classes("count")

    def show(found: dict[str, Any], attributes: dict[str, Any] | None) -> None:
        fan, now = found["fan"], found["now"]
        points = [
            [row["time"].isoformat(), row["median"], row["low80"], row["high80"]] for row in fan
        ]
        lines = lines_of(found["past"]) if fan else []
        if points:
            lines.append({"name": words("sensor.forecast_band"), "points": points, "mark": "blue"})
        end = max((row["time"] for row in fan), default=now)
        limits = limits_of(words, declared, metric, attributes)
        chart.show(lines=lines, limits=limits, range=range_prop(Span(now - BACK, end)), **props)
        said.set_text(_said(view, declared, metric, fan, found["record"]))

    return show


def _said(view: View, declared: Stream, metric: str, fan: list[Row], record: Row | None) -> str:
    words = view.words
    if not fan:
        return ""
    parts = [words("sensor.forecast_issued", at=local_time(fan[0]["issued_at"]))]
    if fan[0]["status"] == "learning":
        parts.append(words("sensor.forecast_learning"))
    if record and record["n"] >= FEW and record["gain_day_pct"] is not None:
        quantity = declared.quantity(metric)
        off = number(words, record["mae"], quantity.unit, quantity.decimals)
        parts.append(
            words(
                "sensor.forecast_record",
                hours=str(LEAD_H),
                off=f"{off['text']} {off['unit']}".strip(),
                gain=f"{record['gain_day_pct']:+.0f}",
                inside=f"{record['inside80_pct'] or 0:.0f}",
                n=str(record["n"]),
            )
        )
    return " · ".join(parts)
