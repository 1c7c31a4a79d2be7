"""Sanitation trucks at their depots; plates and depots are invented."""

from catalog.model import text
from catalog.places import Station
from sites.chengdu.districts import CENTRAL, DISTRICTS

STATIONS = tuple(
    Station(
        id=f"川A{code[-2:]}{n}0环",
        title=text(
            f"{DISTRICTS[code].title.zh}环卫车 {n}（虚拟）",
            f"{DISTRICTS[code].title.en} truck {n} (invented)",
        ),
        lon=DISTRICTS[code].lon,
        lat=DISTRICTS[code].lat,
        district=code,
        street=DISTRICTS[code].streets[0],
    )
    for code in CENTRAL
    for n in (1, 2)
)
