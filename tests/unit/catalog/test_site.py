"""Another city is another folder: its districts, zone, stations and owners, and none of ours."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.site import offset_s, site, stations, zone
from deploy.paths import ROOT

SITE = """
from pathlib import Path

from catalog.base import text
from catalog.places import District
from catalog.site import Site

CENTRE = District(
    code="000011", title=text("中区", "Centre"), lon=14.29, lat=48.3, population=9, streets=("街",)
)
SITE = Site(
    name="small",
    code="000001",
    title=text("小城", "Smallville"),
    zone="Europe/Vienna",
    centre=(14.29, 48.3),
    districts={"000011": CENTRE},
    owners={"operations": text("值班室", "duty office")},
    boundaries=Path(__file__).parent / "districts.geojson",
)
"""
STATIONS = """
from catalog.base import text
from catalog.places import Station

STATIONS = (
    Station(id="river-mill", title=text("磨坊", "Mill"), lon=14.3, lat=48.3, district="000011"),
)
"""
TELL = """
import json
from catalog.sensors import sensors, sensors_of
from catalog.shapes import geojson
from catalog.site import offset_s, zone
print(json.dumps({
    "cities": sorted({s.city for s in sensors()}),
    "districts": sorted({s.district for s in sensors()}),
    "river": [s.id for s in sensors_of("river_level")],
    "shapes": [f["id"] for f in geojson()["features"]],
    "zone": zone().key,
    "offset_s": offset_s(),
}))
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the folder of a city with one district and one station."""
    shape = {"type": "Polygon", "coordinates": [[[14, 48], [15, 48], [15, 49], [14, 48]]]}
    feature = {"type": "Feature", "id": "000011", "properties": {}, "geometry": shape}
    collection = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "districts.geojson").write_text(json.dumps(collection))
    (tmp_path / "site.py").write_text(SITE)
    (tmp_path / "stations").mkdir()
    (tmp_path / "stations/river_level.py").write_text(STATIONS)
    return tmp_path


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    line, env = [sys.executable, "-c", code], os.environ | {"CITYOPS_SITE": f"{folder}"}
    return subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def test_another_city_is_another_folder(small: Path) -> None:
    done = run(small, TELL)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "cities": ["000001"],
        "districts": ["000011"],
        "river": ["river-mill"],
        "shapes": ["000011"],
        "zone": "Europe/Vienna",
        "offset_s": 3600,
    }


def test_a_task_for_an_owner_whom_the_site_has_not_is_refused_by_name(small: Path) -> None:
    done = run(small, "from catalog.incident import incident_kinds; incident_kinds()")
    assert re.search(r"systems/\w+/incidents/\w+\.py: no owner \w+", done.stderr)
    assert "the site has operations" in done.stderr


def test_a_site_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere", "from catalog.site import site; site()")
    assert "nowhere/site.py: no such file; CITYOPS_SITE names a folder" in done.stderr


def test_ours_is_chengdu() -> None:
    assert (site().code, zone().key, offset_s()) == ("510100", "Asia/Shanghai", 8 * 3600)
    assert {one.district for one in stations("river_level")} <= set(site().districts)
    assert stations("traffic_flow") == ()
