"""What the city wall (L0) shows, as data: the console's own wall page reads the same list.

Order, texts, limits and colours come from the catalog; values from functions of schema ``dash``.
"""

from dataclasses import dataclass

from catalog.headline import in_screen_order, vital_title
from catalog.model import Stream, Text
from catalog.registry import systems
from catalog.system import System
from dashboards.looks import Steps, vital_limits

HOURS = 6
REFRESH_S = 10
POINTS = 72


@dataclass(frozen=True, slots=True)
class Vital:
    """One vital sign: the stream's headline as one number of the city."""

    stream: Stream
    title: Text
    unit: str
    decimals: int
    limits: Steps


@dataclass(frozen=True, slots=True)
class Row:
    """One domain's row of vital signs."""

    domain: System
    vitals: tuple[Vital, ...]


def vital(stream: Stream) -> Vital:
    """Return the stream's vital sign."""
    shown = stream.quantity(stream.headline)
    return Vital(stream, vital_title(stream), shown.unit, shown.decimals, vital_limits(stream))


def wall_rows() -> list[Row]:
    """Return the wall's rows in screen order; a domain without streams has none."""
    found = []
    for domain in systems().values():
        vitals = tuple(vital(s) for s in in_screen_order() if s.domain == domain.name)
        if vitals:
            found.append(Row(domain, vitals))
    return found
