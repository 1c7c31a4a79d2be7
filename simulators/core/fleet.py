"""The sensors of one stream as arrays, and the moments at which each of them reports."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.model import Stream
from catalog.places import KM_PER_DEGREE, Sensor
from catalog.sensors import sensors_of
from catalog.site import site
from simulators.core.chance import Chance, Floats, Keys, key_of

US = 1_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings to be made: sensor index, epoch µs and the sensor's own running number."""

    index: NDArray[np.int64]
    at_us: NDArray[np.int64]
    nth: NDArray[np.int64]

    @property
    def at_s(self) -> Floats:
        """Return epoch seconds."""
        return self.at_us / US

    def chosen(self, rows: np.ndarray) -> "Rows":
        """Return some of them, by a mask or by places."""
        return Rows(self.index[rows], self.at_us[rows], self.nth[rows])

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Sensors of one stream, one place per sensor in every array."""

    stream: Stream
    ids: tuple[str, ...]
    keys: Keys
    x_km: Floats
    y_km: Floats
    districts: tuple[str, ...]
    parents: tuple[str | None, ...]
    attributes: dict[str, Floats]
    phase_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def due(self, after_us: int, until_us: int) -> Rows:
        """Return what is due in (after, until], in the order of time."""
        cadence = self.stream.cadence_s * US
        first = (after_us - self.phase_us) // cadence + 1
        counts = ((until_us - self.phase_us) // cadence + 1 - first).clip(min=0)
        index = np.repeat(np.arange(len(self)), counts)
        nth = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts) + first[index]
        at = nth * cadence + self.phase_us[index]
        order = np.argsort(at, kind="stable")
        return Rows(index[order], at[order], nth[order])


def fleet_of(stream: Stream, chance: Chance, count: int | None = None) -> Fleet:
    """Return the catalog's sensors of a stream, or ``count`` of them.

    Above the catalog's number the rest are twins: same place, own id, own randomness.
    """
    known = sensors_of(stream.name)
    chosen = known if count is None else [_nth(known, n) for n in range(count)]
    keys = np.array([key_of(s.id) for s in chosen], np.uint64)
    phase = chance.uniform(f"{stream.name}/phase", keys) * stream.cadence_s * US
    names = {name for s in known for name in s.attributes}
    return Fleet(
        stream=stream,
        ids=tuple(s.id for s in chosen),
        keys=keys,
        x_km=np.array([east_km(s.lon) for s in chosen]),
        y_km=np.array([north_km(s.lat) for s in chosen]),
        districts=tuple(s.district for s in chosen),
        parents=tuple(s.parent for s in chosen),
        attributes={n: np.array([s.attributes.get(n, np.nan) for s in chosen]) for n in names},
        # whole milliseconds, as devices report
        phase_us=phase.astype(np.int64) // 1000 * 1000,
    )


@cache
def catalog_fleet(stream: Stream, seed: int) -> Fleet:
    """Return the catalog's sensors of a stream; made once."""
    return fleet_of(stream, Chance(seed))


def _nth(known: tuple[Sensor, ...], n: int) -> Sensor:
    twin, place = divmod(n, len(known))
    sensor = known[place]
    return sensor if not twin else sensor.model_copy(update={"id": f"{sensor.id}-t{twin}"})


def east_km(lon: float) -> float:
    """Return km east of the site's centre."""
    return (lon - site().centre[0]) * KM_PER_DEGREE * math.cos(math.radians(site().centre[1]))


def north_km(lat: float) -> float:
    """Return km north of the site's centre."""
    return (lat - site().centre[1]) * KM_PER_DEGREE
