"""Gantries by the minute, for history: what ``gantry_passage`` adds up to, but drawn as counts."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import roads

PEAK = 34
FEE_FEN = 390.0
"""A passage pays so much, about: the mean over classes."""


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these minutes."""
    chance, keys, minute = city.chance, fleet.keys[rows.index], rows.at_us // 60_000_000
    draw = lambda what: chance.uniform(f"gantry/{what}", keys, minute)  # noqa: E731
    busy = chance.between(0.6, 1.0, "gantry/busy", keys)
    passing = np.minimum(1.0, 1.25 * roads.slowing(city, fleet, rows))
    passages = np.floor(PEAK * roads.demand(city, rows.at_s) * busy * passing + draw("count"))
    failed = (draw("failed") < 0.008 * passages) & (passages > 0)
    unread = (draw("unread") < 0.03 * passages) & (passages > 0)
    charged = passages - failed
    nothing = np.zeros(len(rows))
    return {
        "passages": passages,
        "charged": charged,
        "failed": failed.astype(float),
        "plates_read": passages - unread,
        "fee_fen": np.round(charged * FEE_FEN * (0.9 + 0.2 * draw("fee"))),
        "lag_p95_s": np.where(passages > 0, np.floor(2 + 3 * draw("lag")), np.nan),
        "plates_differ": (draw("differs") < 0.002 * passages).astype(float),
        "no_entry": (draw("entry") < 0.002 * passages).astype(float),
        "off_tariff": nothing,
        "unreadable": nothing,
        "too_fast": nothing,
    }
