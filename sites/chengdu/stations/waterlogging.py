"""Underpasses that flood first."""

from catalog.model import text
from catalog.places import Station

STATIONS = (
    Station(
        id="pond-jinxin",
        title=text("金新路下穿隧道", "Jinxin Road underpass"),
        lon=104.150,
        lat=30.620,
        district="510104",
        street="三圣街道",
        parent="feeder-510104-01",
    ),
    Station(
        id="pond-peifeng",
        title=text("培风下穿隧道", "Peifeng underpass"),
        lon=103.990,
        lat=30.670,
        district="510105",
        street="苏坡街道",
        parent="feeder-510105-01",
    ),
    Station(
        id="pond-shangmao",
        title=text("商贸大道下穿隧道", "Shangmao Avenue underpass"),
        lon=104.075,
        lat=30.740,
        district="510106",
        street="天回镇街道",
        parent="feeder-510106-01",
    ),
    Station(
        id="pond-dongchenggen",
        title=text("东城根街下穿隧道", "Dongchenggen Street underpass"),
        lon=104.059,
        lat=30.667,
        district="510105",
        street="少城街道",
        parent="feeder-510105-01",
    ),
)
