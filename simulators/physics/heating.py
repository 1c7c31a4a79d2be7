"""Oil and winding temperature of power transformers, IEC 60076-7 (ONAF values of its table 4).

Top oil rises towards ((1 + R K²) / (1 + R))^x * 52 K above ambient with 150 min; the hot spot is
26 K * K^y above the oil with 7 min.
"""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet
from simulators.physics import power, weather

OIL_RISE_K, HOT_SPOT_K = 52.0, 26.0
LOSS_RATIO, OIL_EXPONENT, WINDING_EXPONENT = 6.0, 0.8, 1.3
OIL_S, WINDING_S = 150 * 60.0, 7 * 60.0
STEP_S = 60
WARMUP_S = 86_400
PEAK_LOW, PEAK_HIGH = 0.52, 0.68


def load_factor(city: City, fleet: Fleet, at_s: Floats, index: np.ndarray) -> Floats:
    """Return load as a share of rating, K, at times ``[n]`` for transformers ``index [n]``."""
    share = city.chance.between(PEAK_LOW, PEAK_HIGH, "transformer/share", fleet.keys)[index]
    distinct, place = np.unique(at_s, return_inverse=True)
    return share * power.city_load(city, distinct)[place]


def temperatures(city: City, fleet: Fleet, at_s: Floats, index: np.ndarray) -> Floats:
    """Return top-oil and hot-spot temperature, °C, ``[n, 2]``."""
    return city.slow("oil", fleet, at_s, index, _integrate, step_s=STEP_S, warmup_s=WARMUP_S)


def oil_rise(k: Floats) -> Floats:
    """Return the top oil's final rise above ambient at load factor ``k``, K."""
    return OIL_RISE_K * ((1 + LOSS_RATIO * k * k) / (1 + LOSS_RATIO)) ** OIL_EXPONENT


def _integrate(city: City, fleet: Fleet, grid: Floats) -> Floats:
    share = city.chance.between(PEAK_LOW, PEAK_HIGH, "transformer/share", fleet.keys)
    k = power.city_load(city, grid)[:, None] * share[None, :]
    air = weather.temperature(city, fleet.x_km[None, :], fleet.y_km[None, :], grid[:, None])
    pace = city.events.lapse("heat", grid)
    oil_target, gradient = air + oil_rise(k), HOT_SPOT_K * k**WINDING_EXPONENT
    out = np.empty((*k.shape, 2))
    oil, above = oil_target[0].copy(), gradient[0].copy()
    oil_share = 1 - np.exp(-STEP_S * pace / OIL_S)
    winding_share = 1 - np.exp(-STEP_S * pace / WINDING_S)
    for step in range(len(grid)):
        out[step, :, 0], out[step, :, 1] = oil, oil + above
        # what acts from a grid time on shows after it, never before
        oil += oil_share[step] * (oil_target[step] - oil)
        above += winding_share[step] * (gradient[step] - above)
    return out
