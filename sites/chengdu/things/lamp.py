"""Lamps along the three roads whose circuits the site places; poles and data are invented."""

from catalog.base import text
from catalog.thing.model import Placed

EACH = 12
STEP_DEG = 0.0004
"""About 45 m from pole to pole, northwards."""
ROADS = (
    ("renmin-south", "人民南路", "Renmin South Road", (104.0657, 30.6360), "510107", "玉林街道"),
    ("shudu", "蜀都大道", "Shudu Avenue", (104.0790, 30.6575), "510104", "春熙路街道"),
    ("tianfu", "天府大道", "Tianfu Avenue", (104.0664, 30.5720), "510116", "华阳街道"),
)
THINGS = tuple(
    Placed(
        id=f"{road}-{n:03d}",
        title=text(f"{zh} {n} 号杆（虚拟）", f"{en}, pole {n} (invented)"),
        lon=place[0],
        lat=round(place[1] + (n - 1) * STEP_DEG, 5),
        district=district,
        street=street,
        attributes={"height_m": 10, "power_w": 150},
        sensor=f"lamp-{road}",
    )
    for road, zh, en, place, district, street in ROADS
    for n in range(1, EACH + 1)
)
