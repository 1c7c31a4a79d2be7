"""The API of sensors, streams, readings, series and live changes, on one seeded city."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from catalog.model import ThresholdRule
from catalog.registry import streams
from console.history import STEPS_S, Span, fitting_step
from console.sheets import csv_response
from tests.console.conftest import ok

POND = "/streams/waterlogging"


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    error = answer.json()["errors"][0]
    return answer.status_code, error["field"], error["rule"]


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_sensors_are_found_by_every_filter(api: httpx.Client) -> None:
    found = ok(api.get("/sensors", params={"stream": "waterlogging", "search": "金新路"}))
    assert [s["sensor"] for s in found["sensors"]] == ["pond-jinxin"]
    assert found["sensors"][0]["unit"] == "m"
    by_place = ok(api.get("/sensors", params={"district": "510104", "domain": "water"}))
    assert {s["district"] for s in by_place["sensors"]} == {"510104"}
    assert {s["domain"] for s in by_place["sensors"]} == {"water"}
    stale = ok(api.get("/sensors", params={"state": "stale"}))["sensors"]
    assert {s["freshness"] for s in stale} == {"stale"}


def test_pages_of_sensors_follow_each_other_without_gap_or_double(api: httpx.Client) -> None:
    whole = ok(api.get("/sensors", params={"limit": 5000}))
    assert whole["next"] is None
    seen, after = [], ""
    while after is not None:
        page = ok(api.get("/sensors", params={"limit": 97, "after": after}))
        seen += page["sensors"]
        after = page["next"]
    ids = [(s["stream"], s["sensor"]) for s in seen]
    assert ids == [(s["stream"], s["sensor"]) for s in whole["sensors"]]
    rows = table(api.get("/sensors", params={"limit": 5000, "format": "csv"}))
    assert [(r["stream"], r["sensor"]) for r in rows] == ids


def test_one_sensor_tells_its_place_in_the_topology(api: httpx.Client) -> None:
    pond = ok(api.get("/sensors/waterlogging/pond-jinxin"))
    assert pond["parent"] == "feeder-510104-01"
    assert pond["relatives"][0]["role"] == "parent"
    assert set(pond["readings"]) == {"depth_m"}
    feeder = ok(api.get("/sensors/feeder/feeder-510104-01"))
    fed = [r["sensor"] for r in feeder["relatives"] if r["role"] == "child"]
    assert "pond-jinxin" in fed
    missing = api.get("/sensors/waterlogging/nowhere")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:cityops:not_found")


def pond_rule() -> ThresholdRule:
    found = next(rule for rule in streams()["waterlogging"].rules if rule.name == "ponding")
    assert isinstance(found, ThresholdRule)
    return found


def test_a_stream_shows_units_and_the_standard_behind_each_limit(api: httpx.Client) -> None:
    listed = ok(api.get("/streams"))
    assert {s["name"] for s in listed} == set(streams())
    declared = ok(api.get(POND))
    depth = declared["metrics"][0]
    assert (depth["name"], depth["unit"], depth["kind"]) == ("depth_m", "m", "measured")
    rule = next(r for r in declared["rules"] if r["id"] == "waterlogging.ponding")
    red = next(limit for limit in rule["limits"] if limit["severity"] == 1)
    source = next(t.source for t in pond_rule().thresholds if t.severity == 1)
    assert (red["value"], red["verified"]) == (0.3, True)
    assert (red["standard"], red["clause"]) == (source.standard, source.clause)
    for name in streams():
        assert ok(api.get(f"/streams/{name}"))["metrics"]
    unknown = api.get("/streams/nothing")
    assert unknown.status_code == 404
    assert "waterlogging" in unknown.json()["detail"]


def test_readings_come_whole_page_by_page(api: httpx.Client, conn: psycopg.Connection) -> None:
    sensors = ["pond-jinxin", "pond-peifeng"]
    asked: dict[str, Any] = {"sensor": sensors, "limit": 7}
    seen, after, page = [], "", {}
    while after is not None:
        page = ok(api.get(f"{POND}/readings", params={**asked, "after": after}))
        seen += page["readings"]
        after = page["next"]
    stored = conn.execute(
        "SELECT count(*) FROM readings_waterlogging WHERE sensor = ANY(%s)", [sensors]
    ).fetchone()
    assert stored is not None
    assert len(seen) == stored[0] > 14
    assert len({(r["sensor"], r["observed_at"]) for r in seen}) == len(seen)
    assert [r["observed_at"] for r in seen] == sorted(r["observed_at"] for r in seen)
    assert page["units"] == {"depth_m": "m"}
    rows = table(api.get(f"{POND}/readings", params={"sensor": sensors, "format": "csv"}))
    assert [float(r["depth_m [m]"]) for r in rows] == [r["depth_m"] for r in seen]


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("/readings", {}, (422, "query.sensor", "missing")),
        ("/readings", {"sensor": "x", "metric": "ph"}, (422, "query.metric", "unknown")),
        ("/readings", {"sensor": "x", "limit": 20001}, (422, "query.limit", "less_than_equal")),
        ("/readings", {"sensor": "x", "from": "2026-07-01T08:00:00"},
         (422, "query.from", "timezone_aware")),
        ("/series", {"metric": "ph"}, (422, "query.metric", "unknown")),
        ("/series", {"from": "2026-07-02T00:00:00Z", "to": "2026-07-01T00:00:00Z"},
         (422, "query.from", "range")),
        ("/series", {"from": "2017-01-01T00:00:00Z", "to": "2026-07-01T00:00:00Z",
                     "by": "sensor", "step_s": 86400}, (422, "query.step_s", "too_many_rows")),
    ],
)  # fmt: skip
def test_a_bad_question_names_field_and_rule(
    api: httpx.Client, path: str, asked: dict[str, Any], said: tuple[int, str, str]
) -> None:
    assert refusal(api.get(POND + path, params=asked)) == said


def test_filters_and_cursors_are_checked_too(api: httpx.Client) -> None:
    assert refusal(api.get("/sensors?district=1")) == (422, "query.district", "unknown")
    bad = api.get(f"{POND}/readings?sensor=pond-jinxin&after=soon")
    assert refusal(bad) == (422, "query.after", "cursor")
    assert api.get(f"{POND}/readings?sensor=nowhere").status_code == 404
    assert api.get(f"{POND}/series?sensor=nowhere").status_code == 404


def test_a_series_picks_step_and_table_from_the_range(api: httpx.Client) -> None:
    end = datetime.now(UTC)
    sources = {}
    for hours in (0.1, 12, 24 * 90, 24 * 3000):
        span = {"from": (end - timedelta(hours=hours)).isoformat(), "to": end.isoformat()}
        series = ok(api.get(f"{POND}/series", params={"sensor": "pond-jinxin", **span}))
        sources[hours] = series["source"]
        assert len(series["points"]) <= 502
        assert series["unit"] == "m"
    assert sources == {0.1: "raw", 12: "1m", 24 * 90: "1h", 24 * 3000: "1d"}


def test_a_series_says_what_the_windows_say(api: httpx.Client, conn: psycopg.Connection) -> None:
    asked = {"sensor": "pond-jinxin", "step_s": 60}
    series = ok(api.get(f"{POND}/series", params=asked))
    stored = conn.execute(
        "SELECT window_start, depth_m_sum / depth_m_good FROM aggregates_waterlogging"
        " WHERE sensor = 'pond-jinxin' ORDER BY 1"
    ).fetchall()
    said = [(datetime.fromisoformat(p["time"]), p["value"]) for p in series["points"]]
    assert said == stored
    assert series["step_s"] == 60
    rows = table(api.get(f"{POND}/series", params=asked | {"format": "csv"}))
    said = [float(r["value [m]"]) if r["value [m]"] else None for r in rows]
    assert said == [value for _, value in stored]
    split = ok(api.get(f"{POND}/series", params={"by": "district", "step_s": 300}))
    assert len({p["label"] for p in split["points"]}) == 20


def test_steps_are_round_and_never_too_fine() -> None:
    end = datetime(2026, 7, 1, tzinfo=UTC)
    for hours in (0.01, 1, 5, 100, 3000, 80_000):
        span = Span(end - timedelta(hours=hours), end)
        for lines in (1, 50, 2000):
            step = fitting_step(span, lines=lines)
            assert step in STEPS_S or step % 604800 == 0
            assert span.seconds / step <= 500
            assert lines * span.seconds / step <= 20_000


@pytest.mark.parametrize(
    "cell", ["=1+1", " =1", "\n=1", "\r\n\t @x", "+1", "-1+1", "\u3000＝1", "\ufeff=1", "\xa0-x"]
)
def test_a_spreadsheet_runs_nothing_from_a_sheet(cell: str) -> None:
    rows = [{"a": cell, "b": "plain = 1", "c": -1.5}]
    text = bytes(csv_response("x", {name: name for name in "abc"}, rows).body).decode()
    (_, read) = csv.reader(io.StringIO(text, newline=""))
    assert read == [f"'{cell}", "plain = 1", "-1.5"]


def test_a_sheet_for_excel_begins_with_a_mark(api: httpx.Client) -> None:
    for path in (f"{POND}/readings?sensor=pond-jinxin&limit=9", f"{POND}/series?step_s=300"):
        plain = api.get(f"{path}&format=csv").content
        assert api.get(f"{path}&format=csv&bom=true").content == b"\xef\xbb\xbf" + plain
    assert api.get("/sensors?format=csv&bom=true").content.startswith(b"\xef\xbb\xbfstream,")


@pytest.fixture
def many(conn: psycopg.Connection) -> Iterator[dict[str, str]]:
    """3 000 readings of a sensor far in the past, one a second, and 21 000 of another."""
    for sensor, count in (("many-3000", 3000), ("many-21000", 21_000)):
        conn.execute(
            "INSERT INTO sensors (stream, sensor, status) VALUES ('noise', %s, 'provisional')",
            [sensor],
        )
        conn.execute(
            "INSERT INTO readings_noise (sensor, observed_at, received_at, leq_db)"
            " SELECT %s, timestamptz '2026-01-01Z' + n * interval '1 second', now(), n"
            " FROM generate_series(0, %s) n",
            [sensor, count - 1],
        )
    yield {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    conn.execute("DELETE FROM readings_noise WHERE sensor LIKE 'many-%'")
    conn.execute("DELETE FROM sensors WHERE sensor LIKE 'many-%'")


def levels(rows: list[dict[str, str]]) -> list[float]:
    return [float(row["leq_db [dB(A)]"]) for row in rows]


def test_a_sheet_is_whole_or_refused_with_what_would_fit(
    api: httpx.Client, many: dict[str, str]
) -> None:
    path, asked = "/streams/noise/readings", {"format": "csv", "sensor": "many-3000"} | many
    assert levels(table(api.get(path, params=asked))) == list(range(3000))
    asked["sensor"] = "many-21000"
    refused = api.get(path, params=asked)
    assert refusal(refused) == (422, "query.to", "too_many_rows")
    fitting = refused.json()["detail"].partition("to=")[2].partition("`")[0]
    assert fitting == "2026-01-01T05:33:20Z"
    whole = table(api.get(path, params=asked | {"to": fitting}))
    assert levels(whole) == list(range(20_000))
    part = api.get(path, params=asked | {"limit": "15000"})
    rest = api.get(part.links["next"]["url"].removeprefix("/api/v1"))
    assert "next" not in rest.links
    assert levels(table(part) + table(rest)) == list(range(21_000))


def test_a_sheet_of_sensors_is_whole(api: httpx.Client, conn: psycopg.Connection) -> None:
    conn.execute(
        "INSERT INTO sensors (stream, sensor, status) SELECT 'noise', 'sheet-' || n, 'provisional'"
        " FROM generate_series(1, 200) n"
    )
    count = conn.execute("SELECT count(*) FROM sensors WHERE status <> 'retired'").fetchone()
    assert count is not None
    assert count[0] > 500
    assert len(table(api.get("/sensors?format=csv"))) == count[0]
    part = api.get("/sensors?format=csv&limit=10")
    assert len(table(part)) == 10
    following = api.get(part.links["next"]["url"].removeprefix("/api/v1"))
    assert table(following)[0] not in table(part)
    conn.execute("DELETE FROM sensors WHERE sensor LIKE 'sheet-%'")
