"""Tanks and what escapes from them: stock, warmth, vapour pressure, and a cloud near by."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.fleet import Fleet, Rows

CLOUD_KM = 1.0
CLOUD_S, AIRING_S = 90.0, 240.0
"""How fast the cloud builds up around the tank, and how fast it is blown away."""
VAPOUR_PER_K = 0.028
"""Rise of the vapour pressure of liquefied gases near 20 °C."""


def released(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return 0..1 of how far each reading's tank, or the tank beside it, has lost its gas."""
    tanks = city.fleet("tank")
    found = np.zeros(len(rows))
    for event in city.events.forcing("release"):
        if event.where in tanks.ids:
            at = tanks.ids.index(event.where)
            far = np.hypot(fleet.x_km - tanks.x_km[at], fleet.y_km - tanks.y_km[at])
            near = np.clip(1 - far / CLOUD_KM, 0.0, 1.0)[rows.index]
            found = np.maximum(found, near * _cloud(event, rows.at_s) * min(2.0, event.intensity))
    return found


def struck(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return 0..1 of how open the leak of each reading's own tank is."""
    found = np.zeros(len(rows))
    for event in city.events.forcing("release"):
        own = np.array([sensor == event.where for sensor in fleet.ids])[rows.index]
        found = np.where(own, event.ramp(rows.at_s, 30.0, 60.0), found)
    return found


def _cloud(event: Event, at_s: Floats) -> Floats:
    since = np.clip(np.minimum(at_s, event.end) - event.start, 0.0, None)
    airing = np.clip(at_s - event.end, 0.0, None)
    return (1 - np.exp(-since / CLOUD_S)) * np.exp(-airing / AIRING_S)
