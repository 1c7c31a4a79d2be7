"""Construction sites with dust monitors at the fence; all are invented."""

from catalog.model import text
from catalog.places import Station

EARTHWORK, BUILDING = {"limit_tsp": 600.0}, {"limit_tsp": 250.0}
"""By phase: demolition and earthwork, or any other."""


def _at(
    n: int, place: tuple[float, float], district: str, zh: str, street: str, phase: dict[str, float]
) -> Station:
    return Station(
        id=f"dust-site-{n}",
        title=text(f"{zh}工地 {n} 号（虚拟）", f"Construction site {n} (invented)"),
        lon=place[0],
        lat=place[1],
        district=district,
        street=street,
        attributes=phase,
    )


STATIONS = (
    _at(1, (104.0310, 30.7010), "510106", "金牛", "茶店子街道", BUILDING),
    _at(2, (104.1120, 30.6900), "510108", "成华", "二仙桥街道", EARTHWORK),
    _at(3, (104.0890, 30.6130), "510104", "锦江", "成龙路街道", BUILDING),
    _at(4, (103.9830, 30.6610), "510105", "青羊", "苏坡街道", BUILDING),
    _at(5, (104.0250, 30.6180), "510107", "武侯", "簇桥街道", EARTHWORK),
    _at(6, (104.2700, 30.5560), "510112", "龙泉驿", "龙泉街道", EARTHWORK),
)
