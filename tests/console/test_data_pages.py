"""Sensors, streams and the quality of data in a real browser; dead letters through a gateway."""

from collections.abc import Mapping

import httpx
import psycopg
import pytest
from playwright.sync_api import expect
from psycopg.types.json import Jsonb

from catalog.registry import streams
from tests.console.charts import LINE, RED, assert_drawn
from tests.console.conftest import Opener, Place
from tests.support.servers import Spawner, wait_until

pytestmark = pytest.mark.browser
FLAG = 0xF0E442
GOOD = {"sensor": "noise-510104-01", "observed_at": "2026-11-24T08:00:00Z", "leq_db": 50}
BAD = {"sensor": "noise-510104-01", "observed_at": "2026-11-24T08:00:00Z", "leq_db": "loud"}


def test_sensors_are_found_and_the_worst_comes_first(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    page = open_page("/sensors?domain=water")
    rows = page.locator(".list tbody tr")
    expect(rows.first.locator(".badge")).to_have_text("◆I 红色")
    page.get_by_label("搜索").fill("培风")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=**")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="培风下穿隧道").click()
    page.wait_for_url("**/sensors/waterlogging/pond-peifeng")
    expect(page.get_by_role("heading", name="培风下穿隧道")).to_be_visible()


def test_a_sensor_shows_raw_and_aggregates_with_limits_and_flags(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    flagged = "pond-shangmao"
    conn.execute(
        "UPDATE aggregates_waterlogging SET depth_m_sum = 0.31 * depth_m_good, depth_m_max = 0.31"
        " WHERE sensor = %s",
        [flagged],
    )
    conn.execute(
        "INSERT INTO qc_flags SELECT stream, sensor, now() - interval '2 minutes', 'depth_m',"
        " 'spike', 3, 0.009 FROM sensors WHERE sensor = %s",
        [flagged],
    )
    page = open_page(f"/sensors/waterlogging/{flagged}?hours=1")
    assert_drawn(page, LINE, RED, chart=".series .chart")
    assert_drawn(page, LINE, FLAG, chart=".raw .chart")
    expect(page.locator(".flags tbody tr")).to_contain_text("? 可疑")
    expect(page.locator(".newest")).to_contain_text("积水深度")
    expect(page.locator(".topology tbody")).to_contain_text("10 kV 馈线")
    page.get_by_label("时段").select_option("24")
    page.wait_for_url("**hours=24**")
    expect(page.locator(".series .count")).to_contain_text("每")
    page = open_page("/sensors/waterlogging/no-such")
    expect(page.get_by_text("没有 waterlogging/no-such")).to_be_visible()


def test_a_sensor_shows_what_is_forecast_and_its_record(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    sensor = "transformer-510104-01"
    conn.execute(
        "WITH made AS (INSERT INTO forecast_series (stream, metric, level, subject, status)"
        " VALUES ('transformer', 'oil_temp_c', 'sensor', %s, 'ready') RETURNING id),"
        " newest AS (INSERT INTO forecast_newest (series, issued_at, leads_s, q, weights)"
        " SELECT id, date_trunc('hour', now()), '{3600,21600}',"
        " '{40,44,48,52,56,36,42,48,54,60}', '{}' FROM made)"
        " INSERT INTO forecast_scores (series, valid_at, lead_s, truth, median, base_day,"
        " inside80) SELECT id, date_trunc('hour', now()) - make_interval(hours => n), 10800,"
        " 50, 49, 46, n > 6 FROM made, generate_series(1, 30) n",
        [sensor],
    )
    page = open_page(f"/sensors/transformer/{sensor}?metric=oil_temp_c")
    assert_drawn(page, LINE, chart=".forecast .chart")
    said = page.locator(".forecast .count")
    expect(said).to_contain_text("平均偏差 1.0 °C，较昨日同时刻 +75 %，80 % 区间命中 80 %（30 次）")
    page = open_page(f"/sensors/transformer/{sensor}?metric=winding_temp_c")
    expect(page.locator(".raw")).to_be_visible()
    expect(page.locator(".forecast")).to_have_count(0)


def test_a_stream_shows_the_city_and_what_is_declared(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    page = open_page("/streams/waterlogging?hours=1", language="en")
    assert_drawn(page, LINE, chart=".city .chart")
    assert_drawn(page, LINE, chart=".districts .chart")
    expect(page.locator(".rule tbody tr", has_text="≥ 0.30")).to_contain_text("Chengdu underpass")
    expect(page.locator(".metrics tbody tr")).to_contain_text("Ponding depth")
    expect(page.locator(".sensors tbody tr")).to_have_count(54)
    page.locator("select[name=district]").select_option("510104")
    page.wait_for_url("**district=510104**")
    here = conn.execute(
        "SELECT count(*) FROM sensors WHERE stream = 'waterlogging' AND district = '510104'"
    ).fetchone()
    assert here is not None
    expect(page.locator(".sensors tbody tr")).to_have_count(here[0])


def test_quality_names_what_is_missing_bad_or_silent(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    page = open_page("/quality")
    expect(page.locator(".complete tbody tr")).to_have_count(len(streams()))
    expect(page.locator(".silent tbody tr").first).to_contain_text("数据陈旧")
    assert_drawn(page, LINE, chart=".flags .chart")
    page.locator(".complete").get_by_role("link", name="道路积水").click()
    page.wait_for_url("**/streams/waterlogging")


def put(conn: psycopg.Connection, id: str, reading: Mapping[str, object]) -> None:
    conn.execute(
        "INSERT INTO dead_letters (id, at, stream, stage, code, reason, readings, source)"
        " VALUES (%s, now(), 'noise', 'storing', 'range', '<b>loud</b>', %s, 'gateway')",
        [id, Jsonb([dict(reading)])],
    )


def status(conn: psycopg.Connection, id: str) -> str:
    row = conn.execute("SELECT status FROM dead_letters WHERE id = %s", [id]).fetchone()
    assert row is not None
    return row[0]


def test_dead_letters_go_through_the_gateway_again(
    open_page: Opener,
    place: Place,
    conn: psycopg.Connection,
    spawn: Spawner,
    kafka: str,
    topic_prefix: str,
) -> None:
    for id, reading in (("web/good", GOOD), ("web/bad", BAD), ("web/away", GOOD)):
        put(conn, id, reading)
    page = open_page("/dead-letters?stream=noise")
    rows = page.locator(".list tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("<b>loud</b>")
    again = page.get_by_role("button", name="重新入库所选")
    expect(again).to_be_disabled()
    page.get_by_label("web/good").check()
    again.click()
    expect(page.get_by_text("no answer from the gateway")).to_be_visible()
    assert status(conn, "web/good") == "open"
    spawn(
        "ingest",
        "gateway",
        env={
            "CITYOPS_DSN": place.dsn,
            "CITYOPS_GATEWAY": place.gateway,
            "CITYOPS_KAFKA": kafka,
            "CITYOPS_TOPIC_PREFIX": topic_prefix,
        },
    )
    posted = f"{place.gateway}/v1/streams/noise/readings"
    wait_until(lambda: httpx.post(posted, json={}).status_code != 503, 20.0, "keys loaded")
    page.get_by_label("web/bad").check()
    page.get_by_role("button", name="重新入库所选（2）").click()
    expect(page.get_by_text("1 条：已重新入库")).to_be_visible()
    expect(page.get_by_text("1 条：网关仍拒绝")).to_be_visible()
    expect(rows).to_have_count(2)
    assert [status(conn, id) for id in ("web/good", "web/bad")] == ["redriven", "open"]
    page.get_by_label("web/bad").uncheck()
    page.get_by_label("web/away").check()
    page.get_by_role("button", name="作废所选").click()
    expect(rows).to_have_count(1)
    assert status(conn, "web/away") == "discarded"
    rows.first.get_by_role("link").click()
    expect(page.locator(".source")).to_contain_text('"leq_db": "loud"')
    audited = conn.execute(
        "SELECT what, target, result FROM audit WHERE what LIKE 'dead_letter.%%' ORDER BY seq"
    ).fetchall()
    assert sorted(audited) == [
        ("dead_letter.discard", "web/away", "ok"),
        ("dead_letter.redrive", "web/bad", "refused"),
        ("dead_letter.redrive", "web/good", "redriven"),
    ]


def test_the_audit_log_is_the_administrators(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_page("/audit?search=login", role="admin")
    expect(page.locator(".list tbody tr").first).to_contain_text("登录")
    expect(page.locator(".list tbody tr", has_text="新增用户")).to_have_count(0)
    page.get_by_role("button", name="校验哈希链").click()
    expect(page.get_by_role("status")).to_contain_text("✓ 完整")
    page = open_page("/audit", role="operator")
    expect(page).to_have_url(f"{page.url.partition('/login')[0]}/login?next=/audit")
