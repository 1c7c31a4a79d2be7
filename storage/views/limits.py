"""When a figure of the platform needs care: one table for console, walls, report and watchers.

Engineering values, because no standard speaks of the platform itself: a city always speaks within a
minute, a webhook is late after two, and what waits is many from a hundred on.
"""

PLATFORM_LIMITS: dict[str, float] = {
    "newest_age_s": 60,
    "arrival_delay_s": 60,
    "oldest_undelivered_s": 120,
    "undelivered": 100,
    "dead_letters_open": 100,
    "given_up": 0,
}
"""Above it, a figure of ``dash.platform()`` is unwell."""
COUNTS = frozenset({"undelivered", "dead_letters_open", "given_up"})
CONSUMER_STOOD_S = 60.0
"""From here on, a consumer of Kafka that has not moved stands still."""
ONLINE_PCT = 90
"""Below this share of sensors heard, the city is not seen well."""
OFFLINE_PCT = 100 - ONLINE_PCT
"""Above this share of sensors not heard: the same limit, seen from the other side."""
COMPLETE_PCT = 95.0
"""Below this share of the readings that should have come, a stream's data is not whole."""


def is_unwell(figure: str, value: float | None) -> bool:
    """Tell whether a figure is above its limit, or missing though it has one."""
    limit = PLATFORM_LIMITS.get(figure)
    return limit is not None and (value is None or value > limit)


def coloured_from(figure: str) -> float | None:
    """Return the least value that is unwell, for screens that colour from a value on."""
    limit = PLATFORM_LIMITS.get(figure)
    return limit if limit is None or figure not in COUNTS else limit + 1


def is_offline(online_pct: float | None) -> bool:
    """Tell whether too few sensors are heard, or none are known."""
    return online_pct is None or online_pct < ONLINE_PCT
