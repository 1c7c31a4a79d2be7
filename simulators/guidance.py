"""The city's weather service: imperfect forecasts of the simulated weather, every six hours.

A pure function of the seed and the hour of issue. An error grows with the lead and hangs together
over some hours; now and then all forecasts of a few days lean to one side. The service knows no
scenarios: nobody foresees a drill. Sizes of errors: of public short-range forecasts, engineering.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs

import numpy as np

from catalog.site import site
from simulators.core.chance import Floats, key_of
from simulators.core.city import City
from simulators.core.fleet import east_km, north_km
from simulators.physics import rain, weather

NAME = "weather"
PATH = f"/guidance/{NAME}.csv"
EVERY_S = 6 * 3600
LEADS_H = (*range(25), *range(27, 73, 3))
ARCHIVE_S = 45 * 86_400
MOST_ISSUES = 24
"""In one answer; who wants more asks again from the newest that he has."""
KEEPS_S = 4 * 3600.0
"""How long an error hangs together."""
LEAN_S, LEAN_SHARE = 3 * 86_400, 0.25
"""A quarter of the spans of three days lean to one side."""
AT_ONCE = 0.25
"""Share of a day's error that is there at once."""
ERRORS = {"temp_c": 1.6, "wind_m_s": 0.35, "rain_mm_h": 0.5, "cloud_pct": 14.0}
"""Standard deviation 24 h ahead, in the unit; of rain and wind as a share of the value."""


def issues(first: float, until: float) -> list[int]:
    """Return the hours of issue (epoch s) from ``first`` to ``until``."""
    return list(range(-int(-first // EVERY_S) * EVERY_S, int(until) + 1, EVERY_S))


def issue(seed: int, issued: int) -> dict[str, Floats]:
    """Return quantity → values ``[places, leads]`` as issued at epoch s."""
    city = City(seed)
    at = issued + 3600.0 * np.array(LEADS_H)
    x, y = (np.array(km)[:, None] for km in zip(*_places().values(), strict=True))
    plain = np.ones_like(x)
    true = {
        "temp_c": weather.temperature(city, x, y, at),
        "wind_m_s": weather.wind(city, at) * plain,
        "rain_mm_h": rain.intensity(city, x, y, at),
        "cloud_pct": 100 * weather.cloud(city, at) * plain,
    }
    return {quantity: _said(city, quantity, issued, at, v) for quantity, v in true.items()}


def _said(city: City, quantity: str, issued: int, at: Floats, true: Floats) -> Floats:
    """Return what is said of a true course: the same error at all places, as of one model run."""
    chance, key = city.chance, key_of(quantity)
    grown = AT_ONCE + (1 - AT_ONCE) * np.sqrt((at - issued) / 86_400)
    error = grown * chance.wander(f"guidance/error/{issued}", key, at, KEEPS_S)
    span = issued // LEAN_S
    if float(chance.uniform("guidance/leans", key, span)) < LEAN_SHARE:
        error = error + np.sign(float(chance.uniform("guidance/side", key, span)) - 0.5)
    error = error * ERRORS[quantity]
    if quantity in ("wind_m_s", "rain_mm_h"):
        return true * np.exp(error)
    low, high = (0.0, 100.0) if quantity == "cloud_pct" else (-np.inf, np.inf)
    return np.clip(true + error, low, high)


def _places() -> dict[str, tuple[float, float]]:
    """Return the city and its districts, with km east and north of the centre."""
    here = site()
    districts = {c: (east_km(d.lon), north_km(d.lat)) for c, d in here.districts.items()}
    return {here.code: (0.0, 0.0), **districts}


def as_csv(seed: int, first: float, until: float) -> str:
    """Return the issues from ``first`` to ``until`` (epoch s) as a table, at most 24 of them."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["issued_at", "valid_at", "place", *ERRORS])
    for issued in issues(max(first, until - ARCHIVE_S), until)[:MOST_ISSUES]:
        for row in _rows(seed, issued):
            write(row)
    return out.getvalue()


def _rows(seed: int, issued: int) -> Iterator[list[object]]:
    said = issue(seed, issued)
    values = np.stack([said[quantity] for quantity in ERRORS], axis=2).round(2).tolist()
    valid = [_iso(issued + 3600 * lead_h) for lead_h in LEADS_H]
    for place, rows in zip(_places(), values, strict=True):
        for at, row in zip(valid, rows, strict=True):
            yield [_iso(issued), at, place, *row]


def answer(seed: int, query: str, until: float) -> str:
    """Return what is answered at ``PATH``; ``from`` (ISO time) in the query asks for older ones.

    Raises ``ValueError`` for a time that is none.
    """
    given = parse_qs(query).get("from", [""])[0].replace(" ", "+")
    first = datetime.fromisoformat(given).timestamp() if given else until - 86_400
    return as_csv(seed, first, until)


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
