"""Records beside the readings: what the platform tells itself through the log."""

from catalog.frames import Headers, event_type
from catalog.overrides import OVERRIDE_TYPE
from catalog.ticks import TICK_TYPE

CONTROLS = frozenset({TICK_TYPE, OVERRIDE_TYPE})


def is_control(headers: Headers | None) -> bool:
    """Tell whether a record of a readings topic is no frame of readings."""
    return event_type(headers) in CONTROLS
