"""Texts, colours and icons of the four warning levels: one table for every screen and message."""

from dataclasses import dataclass

from catalog.model import Severity, Text


@dataclass(frozen=True, slots=True)
class Level:
    """How one severity is shown. The icon is the second code beside the colour."""

    severity: Severity
    roman: str
    title: Text
    colour: str
    icon: str


LEVELS = {
    Severity.RED: Level(Severity.RED, "I", Text(zh="红色", en="Red"), "#E0322F", "◆"),
    Severity.ORANGE: Level(Severity.ORANGE, "II", Text(zh="橙色", en="Orange"), "#FF9830", "▲"),
    Severity.YELLOW: Level(Severity.YELLOW, "III", Text(zh="黄色", en="Yellow"), "#F0E442", "■"),
    Severity.BLUE: Level(Severity.BLUE, "IV", Text(zh="蓝色", en="Blue"), "#56B4E9", "●"),
}
NORMAL_COLOUR = "#8FA3B0"
STALE_COLOUR = "#6B6B6B"


@dataclass(frozen=True, slots=True)
class State:
    """How one state of a sensor is shown: a warning level, or what stands in its place."""

    name: str
    title: Text
    colour: str
    icon: str


STATES = (
    State("never", Text(zh="从未上报", en="Never reported"), STALE_COLOUR, "○"),
    State("normal", Text(zh="正常", en="Normal"), NORMAL_COLOUR, "✓"),
    State("stale", Text(zh="数据陈旧", en="Stale"), STALE_COLOUR, "✕"),
    *(
        State(level.severity.name.lower(), level.title, level.colour, level.icon)
        for level in reversed(LEVELS.values())
    ),
)
"""By rising urgency; stale is a state of its own, not a colour of normal."""
