"""Expand a panel's SQL as Grafana does: first the browser's variables, then the plugin's macros.

Follows grafana/grafana: ``public/app/features/templating`` (formats), ``@grafana/data``
``rangeutil.roundInterval`` and the PostgreSQL plugin's ``macros.go``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?::(\w+))?\}")
MACRO = re.compile(r"\$(__[_a-zA-Z0-9]+)\(([^)]*)\)")
DEFAULT_POINTS = 1000
ROUNDING = (
    # (up to this many ms, interval in ms); Grafana's table from 10 ms to a day
    *((15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1500, 1000)),
    *((3500, 2000), (7500, 5000), (12500, 10000), (17500, 15000), (25000, 20000)),
    *((45000, 30000), (90000, 60000), (210000, 120000), (450000, 300000), (750000, 600000)),
    *((1050000, 900000), (1500000, 1200000), (2700000, 1800000), (5400000, 3600000)),
    *((9000000, 7200000), (16200000, 10800000), (32400000, 21600000), (86400000, 43200000)),
    *((604800000, 86400000), (1814400000, 604800000), (3628800000, 2592000000)),
)
UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class View:
    """What a reader has chosen: the time range and the variables' values."""

    start: datetime
    end: datetime
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of one panel: ``sql`` is ready to run, ``sent`` is what the browser sends.

    In ``sent`` variables are replaced and macros are not: those are the plugin's, on the server.
    """

    dashboard: str
    panel: str
    kind: str
    form: str
    sql: str
    sent: str
    ref: str = "A"
    step_ms: int = 1000
    points: int = 1000


def interval_ms(view: View, points: int | None, least: str | None) -> int:
    """Return the step that Grafana asks for: range over points, rounded, at least ``least``."""
    range_ms = (view.end - view.start).total_seconds() * 1000
    rough = range_ms / (points or DEFAULT_POINTS)
    rounded = next((step for limit, step in ROUNDING if rough < limit), 31_536_000_000)
    return max(rounded, _milliseconds(least or "1ms"))


def expand(sql: str, view: View, step_ms: int) -> str:
    """Return SQL with variables and macros replaced.

    Raises ``ValueError`` for a macro that this project does not use.
    """

    def macro(match: re.Match[str]) -> str:
        arguments = [part.strip() for part in match[2].split(",")]
        return _macro(match[1], arguments, view)

    return MACRO.sub(macro, interpolate(sql, view, step_ms))


def interpolate(sql: str, view: View, step_ms: int) -> str:
    """Return SQL with variables replaced, as the browser sends it."""
    scoped = {"__interval": _written(step_ms), "__interval_ms": str(step_ms)}
    values = {**view.variables, **scoped}

    def variable(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name not in values:
            return match[0]
        return _formatted(values[name], match[3] or match[5])

    return VARIABLE.sub(variable, sql)


def panel_queries(board: Mapping[str, Any], view: View) -> Iterator[PanelQuery]:
    """Yield every query of a dashboard, expanded: panels, variables and annotations."""
    defaults = {item["name"]: str(item["current"]["value"]) for item in _variables(board)}
    seen = View(view.start, view.end, {**defaults, **view.variables})

    def query(panel: str, kind: str, target: Mapping[str, Any], **asked: int) -> PanelQuery:
        raw, step_ms = target["rawSql"], asked.get("step_ms", 1000)
        sql, sent = expand(raw, seen, step_ms), interpolate(raw, seen, step_ms)
        form, ref = target.get("format", "table"), target.get("refId", "A")
        return PanelQuery(board["uid"], panel, kind, form, sql, sent, ref, **asked)

    for item in _variables(board):
        yield query(f"variable {item['name']}", "variable", {"rawSql": item["query"]})
    for note in board.get("annotations", {}).get("list", []):
        if target := note.get("target"):
            yield query(f"annotation {note['name']}", "annotation", target)
    for panel in board["panels"]:
        points = panel.get("maxDataPoints") or DEFAULT_POINTS
        step = interval_ms(seen, points, panel.get("interval"))
        for target in panel.get("targets", []):
            yield query(panel["title"], panel["type"], target, step_ms=step, points=points)


def _variables(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    return board.get("templating", {}).get("list", [])


def _formatted(value: str, form: str | None) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'" if form == "sqlstring" else escaped


def _macro(name: str, arguments: list[str], view: View) -> str:
    start, end = _moment(view.start), _moment(view.end)
    if name == "__timeFrom":
        return f"'{start}'"
    if name == "__timeTo":
        return f"'{end}'"
    if name == "__timeFilter" and arguments[0]:
        return f"{arguments[0]} BETWEEN '{start}' AND '{end}'"
    raise ValueError(f"macro ${name}({', '.join(arguments)}) is not one of ours")


def _moment(moment: datetime) -> str:
    """Return RFC 3339 in UTC, without a fraction that is zero."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")


def _milliseconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)(ms|[smhd])", text)
    if found is None:
        raise ValueError(f"{text!r} is no interval such as 30s or 5m")
    return int(found[1]) * UNITS_MS[found[2]]


def _written(step_ms: int) -> str:
    """Return a step as Grafana writes it: the largest unit that divides it."""
    for unit in ("d", "h", "m", "s"):
        if step_ms % UNITS_MS[unit] == 0:
            return f"{step_ms // UNITS_MS[unit]}{unit}"
    return f"{step_ms}ms"
