"""Limits of GB 3096-2008, table 1: environmental noise by area class, day and night."""

LIMITS_DB = {
    "0": (50.0, 40.0),
    "1": (55.0, 45.0),
    "2": (60.0, 50.0),
    "3": (65.0, 55.0),
    "4a": (70.0, 55.0),
    "4b": (70.0, 60.0),
}
"""Area class to (day, night) limit of Leq, dB(A): 0 convalescence, 1 homes, 2 mixed, 3 works,
4a beside main roads, 4b beside railways."""


def limits(area: str) -> dict[str, float]:
    """Return the sensor attributes of a site of this area class; KeyError for an unknown one."""
    day, night = LIMITS_DB[area]
    return {"limit_day_db": day, "limit_night_db": night}
