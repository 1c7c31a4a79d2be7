"""Rain cells that move over the city; intensity at any place and time.

Monthly depths and wet days: Dujiangyan 1981-2010, eased by a fifth for the plain; about two thirds
of events fall between 20:00 and 08:00 ("night rain"). A cell is a Gaussian in space and a
triangle in time with its peak at 0.4 (Chicago-type hyetograph).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulators.core.calendar import by_month, day_start_s, local_day
from simulators.core.chance import Chance, Floats
from simulators.core.city import City
from simulators.core.events import Event

MONTH_MM = (16.3, 23.4, 40.7, 63.8, 90.9, 118.8, 230.1, 257.6, 166.3, 65.8, 30.6, 12.5)
WET_DAYS = (10.4, 13.1, 15.3, 16.2, 17.5, 17.2, 18.7, 17.2, 20.3, 18.5, 12.4, 8.6)
PLAIN = 0.8
NIGHT_SHARE = 0.65
PEAK_SHARE = 0.4
LARGEST_DAY_MM = 60.0
STORM_RADIUS_KM = 9.0
STORM_PATH_KM = (-8.0, 6.0, 8.0, -6.0)
"""Where the storm of a scenario enters and leaves (km east, north; east, north)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One rain cell: ``depth_mm`` falls at its centre in ``duration_s``."""

    start: float
    duration_s: float
    depth_mm: float
    radius_km: float
    x0: float
    y0: float
    x1: float
    y1: float
    until: float = float("inf")
    """When a called-off storm breaks off (epoch s)."""

    def mm_h(self, x_km: Floats, y_km: Floats, at_s: Floats) -> Floats:
        """Return its rain at places and times, mm/h."""
        u = (at_s - self.start) / self.duration_s
        shape = np.where(u < PEAK_SHARE, u / PEAK_SHARE, (1 - u) / (1 - PEAK_SHARE))
        rate = 2 * 3600 * self.depth_mm / self.duration_s * np.clip(shape, 0.0, None)
        rate = np.where((u < 0) | (at_s >= self.until), 0.0, rate)
        dx = x_km - (self.x0 + u * (self.x1 - self.x0))
        dy = y_km - (self.y0 + u * (self.y1 - self.y0))
        return rate * np.exp(-(dx * dx + dy * dy) / (2 * self.radius_km**2))


def intensity(city: City, x_km: Floats, y_km: Floats, at_s: Floats) -> Floats:
    """Return rain in mm/h at places and times that broadcast."""
    at_s = np.asarray(at_s, np.float64)
    total = np.zeros(np.broadcast_shapes(np.shape(x_km), at_s.shape))
    if not at_s.size:
        return total
    first, last = float(at_s.min()), float(at_s.max())
    for cell in cells(city, first, last):
        total += cell.mm_h(x_km, y_km, at_s)
    return np.where(total < 0.05, 0.0, total)


def cells(city: City, first: float, last: float) -> list[Cell]:
    """Return the cells that may rain in [first, last] (epoch s), those of scenarios included."""
    days = local_day(np.array([first, last]))
    natural = [
        c for day in range(int(days[0]) - 1, int(days[1]) + 1) for c in _of_day(city.seed, day)
    ]
    found = [*natural, *(_storm(event) for event in city.events.forcing("storm"))]
    return [c for c in found if c.start <= last and c.start + c.duration_s >= first]


def _storm(event: Event) -> Cell:
    span = (event.start, event.duration_s)
    return Cell(*span, event.size, STORM_RADIUS_KM, *STORM_PATH_KM, until=event.end)


@lru_cache(maxsize=4096)
def _of_day(seed: int, day: int) -> tuple[Cell, ...]:
    chance, when = Chance(seed), np.array([day])
    wet = float(by_month(WET_DAYS, when)[0]) / 30.4
    mean_mm = PLAIN * float(by_month(MONTH_MM, when)[0]) / 30.4 / wet
    if float(chance.uniform("rain/wet", day)) > wet:
        return ()
    depth = min(LARGEST_DAY_MM, -mean_mm * float(np.log(chance.uniform("rain/depth", day))))
    count = 1 + int(3 * float(chance.uniform("rain/count", day)))
    return tuple(_cell(chance, day, n, depth / count) for n in range(count))


def _cell(chance: Chance, day: int, n: int, depth_mm: float) -> Cell:
    def draw(low: float, high: float, what: str) -> float:
        return float(chance.between(low, high, f"rain/{what}", day, n))

    night = draw(0, 1, "night") < NIGHT_SHARE
    start_h = 20 + draw(0, 12, "hour") if night else 8 + draw(0, 12, "hour")
    duration_s = draw(1.0, 4.5, "duration") * 3600
    angle, path_km = draw(-0.8, 0.8, "angle"), draw(20, 60, "path")
    x, y = draw(-25, 25, "x"), draw(-25, 25, "y")
    dx, dy = path_km / 2 * np.cos(angle), path_km / 2 * np.sin(angle)
    return Cell(
        start=day_start_s(day) + start_h * 3600,
        duration_s=duration_s,
        depth_mm=depth_mm * 1.4,
        radius_km=draw(14, 32, "radius"),
        x0=x - dx,
        y0=y - dy,
        x1=x + dx,
        y1=y + dy,
    )
