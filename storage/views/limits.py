"""When a figure of ``dash.platform()`` needs care: one table for consoles, walls and watchers.

Engineering values: a city always speaks within a minute, a webhook is late after two.
"""

PLATFORM_LIMITS = {
    "newest_age_s": 60,
    "oldest_undelivered_s": 120,
    "undelivered": 100,
    "dead_letters_open": 100,
    "given_up": 0,
}
ONLINE_PCT = 90
"""Below this share of sensors heard, the city is not seen well."""
OFFLINE_PCT = 100 - ONLINE_PCT
"""Above this share of sensors not heard: the same limit, seen from the other side."""


def is_unwell(figure: str, value: float | None) -> bool:
    """Tell whether a figure is above its limit, or missing though it has one."""
    limit = PLATFORM_LIMITS.get(figure)
    return limit is not None and (value is None or value > limit)
