"""Lamp circuits of main roads: at least 98 of 100 lamps are lit. Cabinets are invented."""

from catalog.model import text
from catalog.places import Station


def _at(
    name: str, zh: str, en: str, place: tuple[float, float], district: str, street: str
) -> Station:
    return Station(
        id=f"lamp-{name}",
        title=text(f"{zh}照明回路（虚拟）", f"Lamps of {en} (invented)"),
        lon=place[0],
        lat=place[1],
        district=district,
        street=street,
        attributes={"least_lit_pct": 98},
    )


STATIONS = (
    _at("renmin-south", "人民南路", "Renmin South Road", (104.0657, 30.6360), "510107", "玉林街道"),
    _at("shudu", "蜀都大道", "Shudu Avenue", (104.0790, 30.6575), "510104", "春熙路街道"),
    _at("tianfu", "天府大道", "Tianfu Avenue", (104.0664, 30.5720), "510116", "华阳街道"),
)
