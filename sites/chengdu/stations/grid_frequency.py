"""Substations that measure the frequency."""

from catalog.model import text
from catalog.places import Station

STATIONS = (
    Station(
        id="frequency-jinjiang",
        title=text("锦江变电站", "Jinjiang substation"),
        lon=104.1174,
        lat=30.5981,
        district="510104",
        street="三圣街道",
    ),
    Station(
        id="frequency-longquan",
        title=text("龙泉变电站", "Longquan substation"),
        lon=104.2747,
        lat=30.5566,
        district="510112",
        street="龙泉街道",
    ),
)
