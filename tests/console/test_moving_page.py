"""A subject that moves, in a real browser and by the API: where it is and has been."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from catalog.sensors import sensors_of
from tests.console.conftest import Opener, ok

pytestmark = pytest.mark.browser
TRUCK = sensors_of("truck")[0].id


def test_the_map_of_a_truck_is_seen_and_no_chart_of_degrees(open_page: Opener) -> None:
    page = open_page(f"/sensors/truck/{TRUCK}")
    expect(page.locator(".track canvas").first).to_be_visible()
    options = page.locator("select[name=metric] option").all_inner_texts()
    assert options and not [name for name in options if "经度" in name or "纬度" in name]
    things = open_page("/things/truck")
    expect(things.locator(".map canvas").first).to_be_visible()
    still = open_page("/sensors/waterlogging/pond-dongchenggen")
    expect(still.locator(".series")).to_be_visible()
    expect(still.locator(".track")).to_have_count(0)


def test_the_api_gives_the_track_as_a_line(api: httpx.Client) -> None:
    now = datetime.now(UTC)
    span = {"from": (now - timedelta(hours=2)).isoformat(), "to": now.isoformat()}
    found = ok(api.get("/streams/truck/track", params=span | {"sensor": TRUCK}))
    line = found["geometry"]["coordinates"]
    assert found["geometry"]["type"] == "LineString" and len(line) > 5
    assert len(line) == len(found["properties"]["times"])
    assert api.get("/streams/noise/track", params=span | {"sensor": "x"}).status_code == 404
    assert api.get("/streams/truck/track", params=span | {"sensor": "x"}).status_code == 404
