"""The site: where the platform runs. One folder a city, chosen by ``CITYOPS_SITE``.

``sites/<city>/site.py`` has a name ``SITE``; ``stations/<stream>.py`` beside it places sensors of
that stream by hand, in a name ``STATIONS``. ``CITYOPS_SITE`` is a name in ``sites/`` (``chengdu``
when unset) or the path of such a folder elsewhere.
"""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from catalog.base import Frozen, Name, Text
from catalog.declared import ROOT, DeclarationError, load
from catalog.places import District, Station

Point = tuple[float, float]
"""Longitude and latitude, WGS-84 degrees."""
SITES_FOLDER = ROOT / "sites"
DEFAULT = "chengdu"


class Site(Frozen):
    """A city: its code and zone, its districts, and who is responsible for what."""

    name: Name
    code: str
    """Of the whole city, GB/T 2260."""
    title: Text
    zone: str
    """IANA name. Days, hours of rules and all times on screens are in it."""
    centre: Point
    districts: dict[str, District]
    """By code, in the order of the screens."""
    central: tuple[str, ...] = ()
    """Codes of the dense districts: generated sensors stand there twice as densely."""
    owners: dict[Name, Text]
    """Who tasks may be given to."""
    boundaries: Path
    """GeoJSON with one feature a district, its ``id`` the code."""
    rings_km: dict[str, tuple[Text, float]] = Field(default_factory=dict)
    """Ring roads as circles round the centre, for maps without tiles: title, mean radius."""
    rivers: dict[str, tuple[Text, tuple[Point, ...]]] = Field(default_factory=dict)

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        ZoneInfo(zone)
        return zone


@cache
def site() -> Site:
    """Return the site of this process; read once."""
    path = site_folder() / "site.py"
    if not path.is_file():
        raise DeclarationError(f"{path}: no such file; CITYOPS_SITE names a folder with a site.py")
    return load(path, "SITE", Site)


def site_folder() -> Path:
    """Return the folder that ``CITYOPS_SITE`` chooses."""
    given = os.environ.get("CITYOPS_SITE") or DEFAULT
    return Path(given) if os.sep in given else SITES_FOLDER / given


@cache
def stations(stream: str) -> tuple[Station, ...]:
    """Return the stations that the site places for one stream."""
    path = site_folder() / "stations" / f"{stream}.py"
    return load(path, "STATIONS", tuple) if path.is_file() else ()


@cache
def zone() -> ZoneInfo:
    """Return the site's time zone."""
    return ZoneInfo(site().zone)


@cache
def offset_s() -> int:
    """Return how far the zone's standard time is ahead of UTC; buckets of days keep to it."""
    new_year = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone())
    ahead = (new_year.utcoffset() or timedelta()) - (new_year.dst() or timedelta())
    return int(ahead.total_seconds())


@cache
def offset_us() -> int:
    """Return ``offset_s`` in microseconds."""
    return offset_s() * 1_000_000
