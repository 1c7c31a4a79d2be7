"""Where an alert is."""

import msgspec

from alerts.event.labels import NO_LABELS, Labels, district_words, sensor_of
from catalog.group_names import group_district
from catalog.joint import GROUPS
from catalog.site import site


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """Where: WGS-84 degrees (none = the whole area), GB/T 2260 code, readable places."""

    lon: float | None = None
    lat: float | None = None
    district: str
    zh: str
    en: str


def area_of(stream: str, subject: str, *, whole: bool, labels: Labels = NO_LABELS) -> Area | None:
    """Return where a sensor or group is; the city for a ``whole`` stream, None if unknown."""
    if whole:
        return Area(district=site().code, zh=site().title.zh, en=site().title.en)
    if stream == GROUPS and (place := site().districts.get(group_district(subject))):
        return Area(district=place.code, zh=place.title.zh, en=place.title.en)
    known = sensor_of(stream, subject, labels)
    if known is None:
        return None
    district = district_words(known.district)
    return Area(
        lon=known.lon,
        lat=known.lat,
        district=known.district,
        zh=f"{district.zh}{known.street}",
        en=f"{known.street}, {district.en}".removeprefix(", "),
    )
