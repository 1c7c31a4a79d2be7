"""How severities and sensor states are shown: a mark (colour class), an icon and a text.

Colours of the four levels come from ``catalog.severity``; colour never stands alone.
"""

from typing import Any

from catalog.model import Severity
from catalog.severity import LEVELS, NORMAL_COLOUR, STALE_COLOUR
from console.texts import Words

Mark = dict[str, Any]
ICONS = {"normal": "✓", "stale": "◌", "never": "○"}
STATES = ("red", "orange", "yellow", "blue", "stale", "never", "normal")
"""Worst first; ``stale`` (no longer heard) and ``never`` (not yet heard) are no levels."""


def level_mark(words: Words, severity: int) -> Mark:
    """Return the mark of a warning level, 1 (red) to 4 (blue)."""
    level = LEVELS[Severity(severity)]
    return {
        "mark": level.severity.name.lower(),
        "icon": level.icon,
        "text": f"{level.roman} {words.of(level.title)}",
        "sort": severity,
    }


def state_mark(words: Words, state: str) -> Mark:
    """Return the mark of a sensor or district state (see ``STATES``)."""
    if state in ICONS:
        text = words(f"state.{state}")
        return {"mark": state, "icon": ICONS[state], "text": text, "sort": STATES.index(state)}
    severity = Severity[state.upper()]
    return level_mark(words, severity) | {"sort": STATES.index(state)}


def number(words: Words, value: float | None, unit: str | None, decimals: int | None) -> Any:
    """Return a number cell; None when there is no value."""
    if value is None:
        return None
    return {"text": f"{value:.{decimals or 0}f}", "unit": shown_unit(unit), "sort": value}


def shown_unit(unit: str | None) -> str:
    """Return the unit as people read it: nothing for a pure number (UCUM ``1``)."""
    return "" if unit in (None, "1") else unit


def colours() -> dict[str, str]:
    """Return mark → colour, for the style sheet, maps and charts."""
    found = {level.severity.name.lower(): level.colour for level in LEVELS.values()}
    return found | {"normal": NORMAL_COLOUR, "stale": STALE_COLOUR, "never": STALE_COLOUR}
