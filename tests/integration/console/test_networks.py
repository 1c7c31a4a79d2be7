"""Networks over the API: a flood closes an underpass and the way goes round; bad questions."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from storage.api_keys import add_key

FROM_TO: dict[str, Any] = {
    "from_lon": 104.02,
    "from_lat": 30.657,
    "to_lon": 104.112,
    "to_lat": 30.657,
}
SQUARE = [[104.0, 30.6], [104.1, 30.6], [104.1, 30.7], [104.0, 30.7]]
PLUME = {"origin": [104.066, 30.657], "wind_from_deg": 270, "half_angle_deg": 30, "reach_km": 8}


@pytest.fixture
def viewer(client: httpx.Client, conn: psycopg.Connection) -> Iterator[httpx.Client]:
    client.headers["Authorization"] = f"Bearer {add_key(conn, 'networks', ['api:viewer'])}"
    yield client


def get(viewer: httpx.Client, path: str, status: int = 200, **query: Any) -> Any:
    answer = viewer.get(f"/api/v1/networks{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_an_open_alert_closes_a_link_and_the_way_goes_round(
    viewer: httpx.Client, conn: psycopg.Connection
) -> None:
    free = get(viewer, "/roads/path", **FROM_TO)
    assert free["detour_of"] == [] and free["seconds"] == pytest.approx(free["free_s"])
    (lon1, lat1), (lon2, lat2) = free["line"][1:3]
    pond = ((lon1 + lon2) / 2, (lat1 + lat2) / 2)
    conn.execute(
        "INSERT INTO sensors (stream, sensor, status, lon, lat)"
        " VALUES ('waterlogging', 'pond-here', 'registered', %s, %s)",
        pond,
    )
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES ('flood', 'waterlogging.ponding',"
        " 'waterlogging', 'pond-here', 'active', 1, 1, 'depth_m', 0.4, 0.3, now(), now())"
    )
    wet = get(viewer, "/roads/path", **FROM_TO)
    assert wet["detour_of"] == ["flood"] and wet["seconds"] > free["seconds"]
    lines = get(viewer, "/roads/links.geojson")["features"]
    closed = {one["id"] for one in lines if one["properties"]["closed_by"] == ["flood"]}
    assert closed & {*free["links"]} and not closed & {*wet["links"]}
    near = get(viewer, "/roads/nearest", stream="waterlogging", to_lon=104.1, to_lat=30.7, k=3)
    assert [one["way"]["seconds"] for one in near] == sorted(o["way"]["seconds"] for o in near)
    conn.execute("UPDATE episodes SET cleared_at = now(), status = 'cleared' WHERE id = 'flood'")
    assert get(viewer, "/roads/path", **FROM_TO) == free


def test_who_is_inside(viewer: httpx.Client, conn: psycopg.Connection) -> None:
    found = viewer.post("/api/v1/inside", json={"ring": SQUARE}).json()
    wanted = conn.execute(
        "SELECT count(*) FROM sensors WHERE lon BETWEEN 104.0 AND 104.1 AND lat BETWEEN 30.6"
        " AND 30.7 AND status <> 'retired'"
    ).fetchone()
    assert wanted and len(found) == wanted[0] > 10
    downwind = viewer.post("/api/v1/inside", json={"sector": PLUME}).json()
    assert downwind and all(one["lon"] >= 104.066 for one in downwind)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/canals/path", FROM_TO, 404),
        ("/roads/path", FROM_TO | {"from_lon": "nan"}, 422),
        ("/roads/path", FROM_TO | {"from_lon": 181}, 422),
        ("/roads/path", {}, 422),
        ("/roads/nearest", {"stream": "nothing", "to_lon": 104, "to_lat": 30}, 422),
        ("/roads/nearest", {"stream": "noise", "to_lon": 104, "to_lat": 30, "k": 0}, 422),
        ("/roads/walk", {"node": "nowhere"}, 404),
        ("/roads/walk", {"node": "r0-0", "direction": "sideways"}, 422),
    ],
)
def test_a_bad_question_is_refused(
    viewer: httpx.Client, path: str, query: Any, status: int
) -> None:
    get(viewer, path, status, **query)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ring": SQUARE[:2]},
        {"ring": SQUARE, "sector": PLUME},
        {"ring": [[1]]},
        {"sector": PLUME | {"reach_km": 0}},
        {"sector": PLUME | {"half_angle_deg": 400}},
        {"ring": [[104.0, 91.0]] * 3},
    ],
)
def test_an_area_that_is_none_is_refused(viewer: httpx.Client, body: Any) -> None:
    assert viewer.post("/api/v1/inside", json=body).status_code == 422
