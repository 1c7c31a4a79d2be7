"""Noise stations beside roads, railways and works."""

from catalog.model import text
from catalog.places import Station
from systems.standards.noise import limits

STATIONS = (
    Station(
        id="noise-ring2-east",
        title=text("二环路东段（4a 类）", "Ring 2 East (class 4a)"),
        lon=104.106,
        lat=30.652,
        district="510108",
        street="双桥子街道",
        attributes=limits("4a"),
    ),
    Station(
        id="noise-longquan-works",
        title=text("龙泉工业区（3 类）", "Longquan works (class 3)"),
        lon=104.215,
        lat=30.590,
        district="510112",
        street="大面街道",
        attributes=limits("3"),
    ),
    Station(
        id="noise-north-railway",
        title=text("北部铁路沿线（4b 类）", "Northern railway (class 4b)"),
        lon=104.070,
        lat=30.705,
        district="510106",
        street="驷马桥街道",
        attributes=limits("4b"),
    ),
)
