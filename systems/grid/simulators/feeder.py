"""10 kV feeders: a share of the city's load each; nothing at all during an outage."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import power

NO_LOAD_KV, DROP_KV = 10.28, 0.22
PHASES = ("a", "b", "c")


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    distinct, place = np.unique(at, return_inverse=True)
    load = power.city_load(city, distinct)[place] * (1 + _pickup(city, fleet, rows))
    load = load * (1 + 0.025 * chance.wander("feeder/load", keys, at, 900.0))
    alive = power.energised(city, fleet.ids, at, rows.index)
    peak_mw = chance.between(4.0, 5.2, "feeder/peak", keys)
    active = peak_mw * load * alive * (1 + 0.006 * chance.normal("feeder/p", keys, rows.nth))
    factor = 0.962 + 0.008 * chance.wander("feeder/pf", keys, at, 3600.0)
    voltage = NO_LOAD_KV - DROP_KV * load + 0.02 * chance.wander("feeder/u", keys, at, 1200.0)
    current = active * 1000.0 / (np.sqrt(3.0) * 10.1 * factor)
    found = {
        "p_mw": active,
        "q_mvar": active * np.tan(np.arccos(np.clip(factor, 0.5, 0.999))),
        "pf": factor * alive,
    }
    for number, phase in enumerate(PHASES):
        lean = 0.012 * chance.normal("feeder/lean", keys, number)
        wobble = 0.008 * chance.normal("feeder/wobble", keys, rows.nth, number)
        found[f"u{phase}_kv"] = (voltage * (1 + lean / 10) + wobble) * alive
        found[f"i{phase}_a"] = current * (1 + lean)
    return found


def _pickup(city: City, fleet: Fleet, rows: Rows) -> Floats:
    extra = np.zeros(len(rows))
    for event in city.events.forcing("outage"):
        if event.where in fleet.ids:
            mine = rows.index == fleet.ids.index(event.where)
            extra[mine] += power.cold_pickup(event, rows.at_s[mine])
    return extra
