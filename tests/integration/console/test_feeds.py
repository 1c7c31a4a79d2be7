"""Public feeds over HTTP: no login, read by outside bindings, 304, lifetimes, nothing private."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from google.transit import gtfs_realtime_pb2 as pb

from records.act import act, open_record
from records.context import Context

PLACE = {"lon": 104.066, "lat": 30.66, "address": "人民中路一段", "road": "人民中路"}
SECRET = "caller 13800000000"


@pytest.fixture
def event(conn: psycopg.Connection) -> Iterator[int]:
    """A confirmed event, and one that nobody has confirmed."""
    officer = Context(conn, "wang", "api", "operator")
    fields = {"category": "accident", "lanes": "all", "details": SECRET} | PLACE
    open_record(officer, "traffic_event", fields | {"road": "不该出现"})
    id = open_record(officer, "traffic_event", fields).id
    act(officer, "traffic_event", id, "confirm")
    yield id
    act(officer, "traffic_event", id, "clear", reason="removed")


def test_journey_planners_read_confirmed_events_and_nothing_private(
    client: httpx.Client, event: int
) -> None:
    answer = client.get("/feeds/traffic_alerts")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert answer.headers["access-control-allow-origin"] == "*"
    feed = pb.FeedMessage.FromString(answer.content)
    alerts = {entity.id: entity.alert for entity in feed.entity}
    alert = alerts[f"traffic_event-{event}"]
    assert (alert.cause, alert.severity_level) == (pb.Alert.ACCIDENT, pb.Alert.SEVERE)
    said = {t.language: t.text for t in alert.description_text.translation}
    assert said["zh-CN"] == "交通事故，已核实，全部封闭，人民中路，人民中路一段"
    assert said["en"].startswith("Accident, Confirmed, All lanes")
    assert SECRET.encode() not in answer.content and "不该出现".encode() not in answer.content
    again = client.get("/feeds/traffic_alerts", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    left = int(answer.headers["cache-control"].rpartition("=")[2])
    assert 0 <= left <= 30
    assert client.head("/feeds/traffic_alerts").headers["etag"] == answer.headers["etag"]


def test_maps_read_the_links(client: httpx.Client) -> None:
    answer = client.get("/feeds/link_states")
    told = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert (told["type"], told["datum"], told["ttl_s"]) == ("FeatureCollection", "WGS-84", 60)
    assert len(told["features"]) > 800
    for one in told["features"]:
        (lon1, lat1), (lon2, lat2) = one["geometry"]["coordinates"]
        assert one["type"] == "Feature" and one["geometry"]["type"] == "LineString"
        assert min(lon1, lon2) > 103 and max(lat1, lat2) < 32
        level, seconds = one["properties"]["level"], one["properties"]["travel_time_s"]
        assert (seconds is None) == (level in ("closed", "unknown"))
        assert level in {"closed", "unknown", *told["levels"]}


def test_other_operators_read_the_signs(client: httpx.Client) -> None:
    signs = client.get("/feeds/sign_states").json()["signs"]
    assert len(signs) == 24
    assert {s["vms"]["workingStatus"] for s in signs} == {"unknown"}
    assert all(s["vms"]["pages"] == [] for s in signs)


def test_the_list_names_every_feed(client: httpx.Client) -> None:
    listed = client.get("/feeds").json()
    assert [one["name"] for one in listed] == ["link_states", "sign_states", "traffic_alerts"]
    assert all(client.head(one["path"]).status_code == 200 for one in listed)


@pytest.mark.parametrize(
    "name", ["nothing", "..%2fsecrets", "a" * 3000, "%00", "traffic_alerts.pb"]
)
def test_what_is_no_feed_is_not_found(client: httpx.Client, name: str) -> None:
    assert client.get(f"/feeds/{name}").status_code in (404, 422)


def test_who_asks_too_often_is_told_when_to_come_back(client: httpx.Client) -> None:
    headers = {"X-Forwarded-For": "198.51.100.7"}
    answers = [client.get("/feeds", headers=headers) for _ in range(70)]
    late = [a for a in answers if a.status_code == 429]
    assert late and int(late[0].headers["retry-after"]) >= 1
    assert client.get("/feeds", headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 200
