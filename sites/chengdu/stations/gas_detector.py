"""Gas detectors of the works with tanks: each for the gas that its tank would lose."""

from catalog.model import text
from catalog.places import Station

AMMONIA = {"level1_ppm": 25.0, "level2_ppm": 50.0}
CHLORINE = {"level1_ppm": 0.3, "level2_ppm": 0.6}
HYDROGEN_SULPHIDE = {"level1_ppm": 6.0, "level2_ppm": 20.0}
"""Set points as in practice: first and second alarm."""


def _at(
    tank: str, n: int, place: tuple[float, float, str, str], limits: dict[str, float]
) -> Station:
    lon, lat, district, street = place
    works = {"pengzhou": "彭州", "qingbaijiang": "青白江", "xinjin": "新津"}[tank.split("-")[0]]
    return Station(
        id=f"detector-{tank}-{n}",
        title=text(f"{works}厂区探测器 {n} 号（虚拟）", f"Detector {tank} {n} (invented)"),
        lon=lon,
        lat=lat,
        district=district,
        street=street,
        attributes=limits,
    )


STATIONS = (
    _at("pengzhou-nh3", 1, (103.9455, 31.0214, "510182", "致和街道"), AMMONIA),
    _at("pengzhou-nh3", 2, (103.9466, 31.0200, "510182", "致和街道"), AMMONIA),
    _at("pengzhou-lpg", 3, (103.9514, 31.0243, "510182", "致和街道"), HYDROGEN_SULPHIDE),
    _at("pengzhou-lpg", 4, (103.9502, 31.0250, "510182", "致和街道"), HYDROGEN_SULPHIDE),
    _at("qingbaijiang-nh3", 1, (104.2624, 30.8693, "510113", "大弯街道"), AMMONIA),
    _at("qingbaijiang-nh3", 2, (104.2612, 30.8681, "510113", "大弯街道"), AMMONIA),
    _at("xinjin-cl2", 1, (103.8264, 30.4213, "510118", "五津街道"), CHLORINE),
    _at("xinjin-cl2", 2, (103.8250, 30.4220, "510118", "五津街道"), CHLORINE),
)
