"""Power transformers: load follows the city, temperatures follow IEC 60076-7."""

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import heating


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    load = 100.0 * heating.load_factor(city, fleet, at, rows.index)
    temperatures = heating.temperatures(city, fleet, at, rows.index)
    drift = 0.15 * chance.wander("transformer/drift", keys, at, 1800.0)
    jitter = 0.06 * chance.normal("transformer/jitter", keys, rows.nth)
    return {
        "load_pct": load * (1 + 0.008 * chance.wander("transformer/load", keys, at, 600.0)),
        "oil_temp_c": temperatures[:, 0] + drift + jitter,
        "winding_temp_c": temperatures[:, 1] + drift + 1.5 * jitter,
    }
