"""What is wrong in the streets: problems as a pure function of seed and time.

About 600 problems a working day (Poisson by minutes, most from 8 to 18 h), 0.4 times as many on
free days, up to twice as many where it rains; the mix of subclasses and the shares of what is not
true, of reworks and of wrong dispatches are the platform's own guesses of the usual order.
"""

from dataclasses import dataclass

import numpy as np

from catalog.lifecycle.day_kinds import FREE, kinds_of
from catalog.places import KM_PER_DEGREE
from catalog.site import site
from simulators.core.calendar import hour, local_day
from simulators.core.chance import key_of
from simulators.core.city import City
from simulators.physics.rain import intensity
from systems.urban.subclasses import BY_CODE, SUBCLASSES

PER_DAY = 600.0
FREE_SHARE = 0.4
RAIN_MOST, RAIN_MM_H = 1.0, 6.0
"""So many times more are added at most, and the rain at which nearly that is reached."""
HOURS = (0, 0, 0, 0, 0, 0, 1, 4, 9, 11, 11, 9, 5, 7, 10, 10, 9, 7, 4, 2, 1, 0, 0, 0)
MINUTE_S = 60
SPREAD_KM = 3.0
MIX = {
    **{"E0101": 18, "E0103": 15, "E0501": 14, "E0502": 12, "E0201": 9, "E0503": 6},
    **{"E0102": 5, "E0301": 2, "E0105": 2, "P0106": 3, "P0102": 2, "P0101": 2, "P0301": 2},
}
"""Shares of subclasses; each other one has ``REST``."""
REST = 0.3
WET = {"P0101": 6.0, "P0102": 6.0, "E0401": 25.0, "E0402": 4.0, "P0401": 3.0}
"""Times as many where it rains hard."""
SOURCES = (("collector", 0.8), ("citizen", 0.12), ("hotline", 0.08))
FALSE_SHARE = {"collector": 0.01, "citizen": 0.12, "hotline": 0.08}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that somebody reports; ``exists`` and ``botched`` only the truth knows."""

    key: str
    at_s: float
    subclass: str
    lon: float
    lat: float
    source: str
    exists: bool
    botched: bool
    """The first attempt to mend it does not do."""
    misjudged: bool
    """It is sent to the wrong department first."""

    def fields(self) -> dict[str, object]:
        """Return what is reported of it."""
        title = BY_CODE[self.subclass].title.zh
        return {
            "subclass": self.subclass,
            "source": self.source,
            "description": f"{title}（模拟）",
            "lon": self.lon,
            "lat": self.lat,
        }


def expected(city: City, at_s: np.ndarray) -> np.ndarray:
    """Return how many problems a minute are reported on average at times (epoch s)."""
    by_hour = np.array(HOURS, float) / (60 * sum(HOURS))
    free = kinds_of(local_day(at_s)) == FREE
    here = np.zeros(1)
    rain = intensity(city, here, here, at_s)
    wet = 1 + RAIN_MOST * np.tanh(rain / RAIN_MM_H)
    return PER_DAY * by_hour[hour(at_s).astype(int)] * np.where(free, FREE_SHARE, 1.0) * wet


def problems(city: City, after_s: float, until_s: float) -> list[Problem]:
    """Return the problems reported in (after, until], in the order of time."""
    minutes = np.arange(int(after_s // MINUTE_S), int(until_s // MINUTE_S) + 1)
    if not len(minutes):
        return []
    often = expected(city, minutes * float(MINUTE_S))
    found = [p for m, n in zip(minutes, often, strict=True) for p in _of_minute(city, int(m), n)]
    return sorted((p for p in found if after_s < p.at_s <= until_s), key=lambda p: p.at_s)


def _of_minute(city: City, minute: int, often: float) -> list[Problem]:
    count = _poisson(float(city.chance.uniform("case/count", np.array([minute]))[0]), often)
    return [_problem(city, minute, n) for n in range(count)]


def _poisson(u: float, mean: float) -> int:
    """Return a Poisson number by inversion; means here are small."""
    count, chance = 0, float(np.exp(-mean))
    total = chance
    while u > total and count < 50:
        count += 1
        chance *= mean / count
        total += chance
    return count


def _problem(city: City, minute: int, n: int) -> Problem:
    def draw(what: str) -> float:
        return float(city.chance.uniform(f"case/{what}", np.array([minute]), np.array([n]))[0])

    at_s = (minute + draw("second")) * MINUTE_S
    lon, lat = _place(draw("district"), draw("far"), draw("turn"))
    source = _chosen(dict(SOURCES), draw("source"))
    east = (lon - site().centre[0]) * KM_PER_DEGREE * np.cos(np.radians(lat))
    north = (lat - site().centre[1]) * KM_PER_DEGREE
    rain = intensity(city, np.array([east]), np.array([north]), np.array([at_s]))
    wet = float(np.tanh(rain[0] / RAIN_MM_H))
    mix = {s.code: MIX.get(s.code, REST) for s in SUBCLASSES}
    mix |= {code: mix[code] * (1 + (times - 1) * wet) for code, times in WET.items()}
    return Problem(
        key=f"sim-{city.seed}-{minute}-{n}",
        at_s=at_s,
        subclass=_chosen(mix, draw("subclass")),
        lon=round(lon, 6),
        lat=round(lat, 6),
        source=source,
        exists=draw("exists") >= FALSE_SHARE[source],
        botched=draw("botched") < 0.04,
        misjudged=draw("misjudged") < 0.03,
    )


def _chosen(shares: dict[str, float], u: float) -> str:
    """Return one name, each as likely as its share."""
    names, sums = list(shares), np.cumsum(list(shares.values()))
    return names[min(int(np.searchsorted(sums, u * sums[-1])), len(names) - 1)]


def _place(u: float, far: float, turn: float) -> tuple[float, float]:
    """Return a point around a district's seat; districts by their population."""
    code = _chosen({d.code: d.population for d in site().districts.values()}, u)
    seat = site().districts[code]
    reach, angle = SPREAD_KM * np.sqrt(far), 2 * np.pi * turn
    north = reach * np.sin(angle) / KM_PER_DEGREE
    east = reach * np.cos(angle) / (KM_PER_DEGREE * np.cos(np.radians(seat.lat)))
    return float(seat.lon + east), float(seat.lat + north)


def unit_draw(seed: int, what: str, case: int, moment: int) -> float:
    """Return a number in (0, 1) that depends on these alone."""
    mixed = int(key_of(f"{seed}/{what}/{case}/{moment}"))
    return (mixed >> 11) / float(1 << 53)
