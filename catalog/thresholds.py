"""Limits of rules: a severity's value or sensor attribute, when it applies, where it comes from."""

from catalog.base import ENGINEERING, Frozen, Name, Severity, Source, Text
from catalog.conditions import Condition


class SensorAttribute(Frozen):
    """A threshold kept on the sensor itself, e.g. the warning level of one gauge (+ ``offset``)."""

    attribute: Name
    offset: float = 0.0


class Threshold(Frozen):
    """One severity's limit. ``hours`` limits it to local hours [from, to), wrapping at midnight,
    ``when`` to a schedule or to where the sun stands.

    Upon a rolling quantity it holds once its window lies within these hours, first and last bucket.
    """

    severity: Severity
    value: float | SensorAttribute
    hours: tuple[int, int] | None = None
    when: Condition | None = None
    source: Source = ENGINEERING
    title: Text | None = None
    """What an alert of this severity is called, where the rule's own title would not be true."""

    @property
    def is_always(self) -> bool:
        """Tell whether it applies at every hour."""
        return self.hours is None and self.when is None


def levels(
    source: Source = ENGINEERING,
    hours: tuple[int, int] | None = None,
    title: Text | None = None,
    when: Condition | None = None,
    **values: "float | SensorAttribute",
) -> tuple[Threshold, ...]:
    """Return thresholds by colour: ``levels(source, blue=101, yellow=151, red=301)``.

    ``ValueError`` for a colour that is no warning level.
    """
    if strange := [colour for colour in values if colour.upper() not in Severity.__members__]:
        known = ", ".join(severity.name.lower() for severity in Severity)
        raise ValueError(f"no warning level {', '.join(strange)}; there are {known}")
    return tuple(
        Threshold(
            severity=Severity[colour.upper()],
            value=value,
            hours=hours,
            when=when,
            source=source,
            title=title,
        )
        for colour, value in values.items()
    )
