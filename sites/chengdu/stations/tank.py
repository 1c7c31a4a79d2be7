"""Tanks of three invented works in the districts where the chemical parks lie."""

from catalog.model import text
from catalog.places import Station

AMMONIA = {"warn_mpa": 1.44, "design_mpa": 1.6}
CHLORINE = {"warn_mpa": 1.26, "design_mpa": 1.4}
LPG = {"warn_mpa": 1.59, "design_mpa": 1.77}

STATIONS = (
    Station(
        id="tank-pengzhou-nh3-1",
        title=text("彭州氨罐 1 号（虚拟）", "Pengzhou ammonia tank 1 (invented)"),
        lon=103.945,
        lat=31.021,
        district="510182",
        street="致和街道",
        attributes=AMMONIA,
    ),
    Station(
        id="tank-pengzhou-lpg-1",
        title=text("彭州液化石油气罐 1 号（虚拟）", "Pengzhou LPG tank 1 (invented)"),
        lon=103.951,
        lat=31.024,
        district="510182",
        street="致和街道",
        attributes=LPG,
    ),
    Station(
        id="tank-qingbaijiang-nh3-1",
        title=text("青白江氨罐 1 号（虚拟）", "Qingbaijiang ammonia tank 1 (invented)"),
        lon=104.262,
        lat=30.869,
        district="510113",
        street="大弯街道",
        attributes=AMMONIA,
    ),
    Station(
        id="tank-xinjin-cl2-1",
        title=text("新津液氯罐 1 号（虚拟）", "Xinjin chlorine tank 1 (invented)"),
        lon=103.826,
        lat=30.421,
        district="510118",
        street="五津街道",
        attributes=CHLORINE,
    ),
)
