"""Variable message signs on the main roads into town: 24, as synthetic as the roads.

Two lines of ten characters, two pages, three seconds a page at least (engineering).
"""

from catalog.base import text
from catalog.plan.device import Device

RADIALS = {
    0: ("北", "North", "510106"),
    4: ("东北", "North-east", "510108"),
    8: ("东", "East", "510104"),
    12: ("东南", "South-east", "510104"),
    16: ("南", "South", "510107"),
    20: ("西南", "South-west", "510107"),
    24: ("西", "West", "510105"),
    28: ("西北", "North-west", "510106"),
}
"""Spoke of the network → where it comes from, and the district whose feeder it hangs on."""
RINGS = {10: "4", 7: "3", 4: "2"}
"""Ring of the network → the ring road that the sign stands before."""

DEVICES = tuple(
    Device(
        id=f"sign-{spoke:02d}-{ring:02d}",
        title=text(f"{zh}向入城诱导屏（{road} 环外）", f"{en} inbound sign before ring {road}"),
        network="roads",
        node=f"r{ring}-{spoke}",
        towards=f"r{ring - 1}-{spoke}",
        parent=f"feeder-{district}-01",
    )
    for spoke, (zh, en, district) in RADIALS.items()
    for ring, road in RINGS.items()
)
