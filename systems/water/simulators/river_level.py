"""River gauges: flow through the cascade of ``physics/rivers.py``, level by Manning."""

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import rivers

BED = "bed_level_m"


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    flow = rivers.flow(city, fleet, at, rows.index)
    flow = flow * (1 + 0.02 * chance.wander("river/drift", keys, at, 2 * 3600.0))
    waves = 0.004 * chance.normal("river/wave", keys, rows.nth)
    level = fleet.attributes[BED][rows.index] + rivers.depth(fleet, rows.index, flow) + waves
    return {"level_m": level, "flow_m3_s": flow}
