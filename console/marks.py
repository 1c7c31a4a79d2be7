"""How severities and sensor states are shown: a mark (colour class), an icon and a text.

Colours, icons and texts come from ``catalog.severity``; colour never stands alone.
"""

from datetime import datetime
from typing import Any

from catalog.model import Severity
from catalog.registry import streams
from catalog.severity import LEVELS, STATES
from catalog.site import zone
from console.texts import Words

Mark = dict[str, Any]
BY_NAME = {state.name: state for state in STATES}
WORST_FIRST = tuple(reversed(BY_NAME))
RESPONSE_LEVELS = "ⅠⅡⅢⅣ"
LEVEL_NAMES = {severity.name.lower(): severity for severity in LEVELS}


def level_mark(words: Words, severity: int) -> Mark:
    """Return the mark of a warning level, 1 (red) to 4 (blue)."""
    level = LEVELS[Severity(severity)]
    return {
        "mark": level.severity.name.lower(),
        "icon": level.icon,
        "text": f"{level.roman} {words.of(level.title)}",
        "sort": severity,
    }


def response_mark(words: Words, severity: int) -> Mark:
    """Return the mark of an incident's response level: a number, so that no alert looks like it."""
    text = words("incidents.response", level=RESPONSE_LEVELS[severity - 1])
    return {"mark": "response", "icon": "", "text": text, "sort": severity}


def state_mark(words: Words, name: str) -> Mark:
    """Return the mark of a sensor, stream or district state (``catalog.severity.STATES``)."""
    place = {"sort": WORST_FIRST.index(name)}
    if name in LEVEL_NAMES:
        return level_mark(words, LEVEL_NAMES[name]) | place
    state = BY_NAME[name]
    return {"mark": name, "icon": state.icon, "text": words.of(state.title)} | place


def number(words: Words, value: float | None, unit: str | None, decimals: int | None) -> Any:
    """Return a number cell; None when there is no value."""
    if value is None:
        return None
    return {"text": f"{value:.{decimals or 0}f}", "unit": shown_unit(unit), "sort": value}


def shown_value(
    words: Words,
    stream: str,
    metric: str | None,
    value: float | None,
    unit: str | None,
    decimals: int,
) -> Any:
    """Return the value of a metric as a cell: by its name where its values have names."""
    declared = streams().get(stream)
    if value is None or metric is None or declared is None:
        return number(words, value, unit, decimals)
    names = declared.value_names(metric) if metric in declared.aggregate_names else {}
    if value in names:
        return {"text": words.of(names[value]), "unit": "", "sort": value}
    return number(words, value, unit, decimals)


def shown_unit(unit: str | None) -> str:
    """Return the unit as people read it: nothing for a pure number (UCUM ``1``)."""
    return "" if unit in (None, "1") else unit


def duration(words: Words, seconds: float) -> dict[str, Any]:
    """Return a duration as a number cell in a fitting unit."""
    units = (3600, "小时", "h"), (60, "分", "min"), (1, "秒", "s")
    size, zh, en = next(unit for unit in units if seconds >= 2 * unit[0] or unit[0] == 1)
    unit = zh if words.language == "zh" else en
    return {"text": f"{seconds / size:.0f}", "unit": unit, "sort": seconds}


def local_time(at: datetime) -> str:
    """Return a moment in the city's time, without the year."""
    return at.astimezone(zone()).strftime("%m-%d %H:%M:%S")


def clock_time(at: datetime) -> str:
    """Return the time of day in the city's time."""
    return at.astimezone(zone()).strftime("%H:%M")


def colours() -> dict[str, str]:
    """Return mark → colour, for the style sheet, maps and charts."""
    return {state.name: state.colour for state in STATES}
