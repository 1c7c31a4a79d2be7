"""What belongs to an incident by time and place."""

from functools import lru_cache

from alerts.event.labels import sensor_of
from alerts.incident.queries import Incident
from catalog.contracts import Transition
from catalog.incident import IncidentKind
from catalog.places import distance_km
from catalog.sensors import downstream


def belongs(kind: IncidentKind, incident: Incident, t: Transition) -> bool:
    """Tell whether an alert that begins is of this incident, by time and place."""
    apart = abs((t.observed_at - incident.newest_at).total_seconds())
    return apart <= kind.within_s and same_place(kind, incident, t)


def same_place(kind: IncidentKind, incident: Incident, t: Transition) -> bool:
    """Tell whether an alert lies where the incident is, by its kind's notion of place."""
    if kind.place == "topology":
        return t.sensor == incident.root_sensor or t.sensor in below(incident.root_sensor)
    if kind.place == "city":
        return True
    place = sensor_of(t.stream, t.sensor)
    if place is None:
        return False
    if kind.place == "district":
        return place.district == incident.district
    if incident.lon is None or incident.lat is None:
        return False
    return distance_km((incident.lon, incident.lat), (place.lon, place.lat)) <= kind.radius_km


@lru_cache(maxsize=1024)
def below(sensor: str) -> frozenset[str]:
    """Return the ids of all sensors that this one feeds."""
    return frozenset(s.id for s in downstream(sensor))
