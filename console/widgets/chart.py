"""The one chart of all pages: a metric over time with limits, alert windows and quality flags."""

from datetime import date
from typing import Any

from nicegui.element import Element
from nicegui.elements.echart import EChart

from catalog.model import SensorAttribute, Stream, ThresholdRule
from console.history import Row, Span
from console.marks import level_mark, shown_unit
from console.texts import Words

ECHARTS_LIBRARY = EChart.component  # its import registers the library that chart.js uses


class Chart(Element, component="chart.js"):
    """Lines over time.

    | prop | each |
    |---|---|
    | lines | ``name, points`` ([time, value] or with low, high); ``mark``; ``bars``, ``band`` |
    | limits | ``value, mark, icon``: a dashed line |
    | spans | ``from, to, mark, text``: a shaded time |
    | dots | ``at, value, mark, text``: a flagged reading |
    """

    def __init__(self, words: Words, label: str, *, still: bool = False, none: str = "") -> None:
        super().__init__()
        self._props["label"] = label
        self._props["still"] = still
        self._props["none"] = none or words("app.nothing")
        self._props["unit"] = ""
        self._props["decimals"] = 1
        self._props["range"] = None
        self._props["lines"] = None
        for name in ("limits", "spans", "dots"):
            self._props[name] = []

    def show(self, **given: Any) -> None:
        """Show ``lines``, ``limits``, ``spans``, ``dots``, ``range``, ``unit``, ``decimals``."""
        changed = {name: rows for name, rows in given.items() if rows != self._props[name]}
        if changed:
            self._props.update(changed)
            self.update()


def quantity_props(stream: Stream, metric: str) -> dict[str, Any]:
    """Return unit and decimals of a metric as props."""
    quantity = stream.quantity(metric)
    return {"unit": shown_unit(quantity.unit), "decimals": quantity.decimals}


def range_prop(span: Span) -> list[str]:
    """Return the time shown as a prop."""
    return [span.start.isoformat(), span.end.isoformat()]


def lines_of(rows: list[Row]) -> list[dict[str, Any]]:
    """Return rows of ``dash.series`` (time, label, value, low, high) as lines, one per label."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        point = [row["time"].isoformat(), row["value"], row["low"], row["high"]]
        found.setdefault(row["label"], []).append(point)
    return [{"name": name, "points": points} for name, points in found.items()]


def usual_line(words: Words, rows: list[Row]) -> list[dict[str, Any]]:
    """Return rows of ``dash.usual`` as a line with its band; nothing while nothing is usual."""
    points = [[row["time"].isoformat(), row["usual"], row["low"], row["high"]] for row in rows]
    name = words("sensor.usual")
    return [{"name": name, "points": points, "mark": "blue", "band": True}] if points else []


def limits_of(
    words: Words, stream: Stream, metric: str, attributes: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the limits of a metric in force; those kept on a sensor need its ``attributes``."""
    found = {}
    for rule in stream.rules:
        if not isinstance(rule, ThresholdRule) or rule.metric != metric:
            continue
        for limit in rule.thresholds:
            value = limit.value
            if isinstance(value, SensorAttribute):
                own = (attributes or {}).get(value.attribute)
                value = None if own is None else float(own) + value.offset
            if value is not None and limit.source.in_force(date.today()):
                mark = level_mark(words, limit.severity)
                found[value, limit.severity] = {
                    "value": value,
                    "mark": mark["mark"],
                    "icon": mark["icon"],
                }
    return [found[key] for key in sorted(found)]
