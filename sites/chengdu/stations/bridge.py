"""Bridges over the city's rivers; the places are real, gauges and design values are invented."""

from catalog.model import text
from catalog.places import Station


def _at(
    name: str, zh: str, en: str, place: tuple[float, float, str, str], design_ue: float
) -> Station:
    lon, lat, district, street = place
    return Station(
        id=f"bridge-{name}",
        title=text(f"{zh}跨中（测点虚拟）", f"{en}, midspan (gauge invented)"),
        lon=lon,
        lat=lat,
        district=district,
        street=street,
        attributes={"level1_ue": 0.8 * design_ue, "level2_ue": design_ue},
    )


STATIONS = (
    _at("jiuyan", "九眼桥", "Jiuyan Bridge", (104.0925, 30.6390, "510104", "牛市口街道"), 260),
    _at("anshun", "安顺廊桥", "Anshun Bridge", (104.0866, 30.6436, "510104", "牛市口街道"), 240),
    _at("caihong", "彩虹桥", "Caihong Bridge", (104.0700, 30.6420, "510107", "浆洗街街道"), 250),
    _at("simaqiao", "驷马桥", "Sima Bridge", (104.0855, 30.7015, "510108", "驷马桥街道"), 300),
)
