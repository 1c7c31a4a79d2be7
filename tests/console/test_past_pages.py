"""Looking back at the city, one's own filters, and who may log in."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import expect

from tests.console.conftest import Opener

pytestmark = pytest.mark.browser


@pytest.fixture
def night(conn: psycopg.Connection) -> Iterator[None]:
    """Yesterday 02:30 to 02:50 an underpass is flooded: yellow, red from 02:34, incident closed."""
    day = "date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') - interval '1 day'"
    at = f"(({day}) AT TIME ZONE 'Asia/Shanghai')"
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at, cleared_at) SELECT 'night-1',"
        " 'waterlogging.ponding', 'waterlogging', 'pond-jinxin', 'cleared', 4, 1, 'depth_m', 0.02,"
        f" 0.3, {at} + interval '150 min', now(), {at} + interval '170 min'".encode()
    )
    conn.execute(
        "INSERT INTO transitions (id, episode, rule, stream, sensor, kind, severity, metric, value,"
        " threshold, observed_at, produced_at, recorded_at) SELECT 'night-' || n, 'night-1',"
        " 'waterlogging.ponding', 'waterlogging', 'pond-jinxin', kind, severity, 'depth_m', value,"
        f" 0.3, {at} + make_interval(mins => n), now(), {at} + make_interval(mins => n) FROM"
        " (VALUES (150, 'raised', 3, 0.21), (154, 'changed', 1, 0.44), (170, 'cleared', 1, 0.1))"
        " v (n, kind, severity, value)".encode()
    )
    conn.execute(
        "INSERT INTO aggregates_waterlogging (sensor, window_start, revision, n, depth_m_n,"
        " depth_m_good, depth_m_last) SELECT 'pond-jinxin',"
        f" {at} + interval '154 min', 1, 1, 1, 1, 0.44".encode()
    )
    conn.execute(
        "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
        " root_sensor, district, opened_at, newest_at, changed_at, resolved_at) SELECT 'night-inc',"
        " 'waterlogging', 'resolved', 2, 2, 'night-1', 'pond-jinxin', '510104',"
        f" {at} + interval '151 min', now(), now(), {at} + interval '175 min'".encode()
    )
    yield
    conn.execute("DELETE FROM incidents WHERE id = 'night-inc'")
    conn.execute("ALTER TABLE transitions DISABLE TRIGGER USER")
    conn.execute("DELETE FROM transitions WHERE episode = 'night-1'")
    conn.execute("ALTER TABLE transitions ENABLE TRIGGER USER")
    conn.execute("DELETE FROM episodes WHERE id = 'night-1'")


def test_the_city_at_a_moment_of_the_night(
    open_page: Opener, conn: psycopg.Connection, night: None
) -> None:
    row = conn.execute(
        "SELECT to_char(now() AT TIME ZONE 'Asia/Shanghai' - interval '1 day', 'YYYY-MM-DD')"
    ).fetchone()
    assert row is not None
    page = open_page(f"/playback?at={row[0]}T02:35")
    expect(page.get_by_text(f"回放 {row[0]} 02:35（非实时画面）")).to_be_visible()
    alert = page.locator(".alerts tbody tr", has_text="金新路下穿隧道")
    expect(alert).to_contain_text("I 红色")  # as it was, though its last level was blue
    expect(alert).to_contain_text("0.44")
    expect(page.locator(".incidents tbody")).to_contain_text("城市内涝 · 锦江区")
    states = conn.execute(
        "SELECT state, value FROM dash.sensors_at(%s::timestamptz) WHERE sensor = 'pond-jinxin'",
        [f"{row[0]} 02:35+08"],
    ).fetchall()
    assert states == [("red", 0.44)]
    page.get_by_role("button", name="-5 分钟").click()
    expect(page.get_by_text("02:30（非实时画面）")).to_be_visible()
    expect(alert).to_contain_text("III 黄色")
    expect(page.locator(".incidents tbody tr")).to_have_count(0)
    page.get_by_role("button", name="-5 分钟").click()
    expect(alert).to_have_count(0)
    page.get_by_role("button", name="播放").click()
    expect(page.get_by_text("02:27（非实时画面）")).to_be_visible()
    page.get_by_role("button", name="暂停").click()


def test_filters_are_saved_for_oneself(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_page("/alerts?severity=1&state=all&within=24")
    page.locator(".saved summary").click()
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("请填写筛选名称")).to_be_visible()
    page.get_by_label("筛选名称").fill("今夜红色")
    page.get_by_role("button", name="保存", exact=True).click()
    mine = page.get_by_role("link", name="★ 今夜红色")
    expect(mine).to_be_visible()
    page = open_page("/alerts")
    page.get_by_role("link", name="★ 今夜红色").click()
    page.wait_for_url("**state=all**")
    assert page.get_by_label("发生于").input_value() == "24"
    other = open_page("/alerts", role="viewer")
    expect(other.locator(".saved")).to_be_visible()
    expect(other.get_by_role("link", name="★ 今夜红色")).to_have_count(0)
    page = open_page("/alerts")
    page.get_by_role("button", name="删除此筛选").click()
    expect(page.get_by_role("link", name="★ 今夜红色")).to_have_count(0)
    assert conn.execute("SELECT count(*) FROM console_filters").fetchone() == (0,)


def test_administrators_see_who_may_log_in(open_page: Opener) -> None:
    page = open_page("/users", role="admin")
    rows = page.locator(".list tbody tr")
    expect(rows).to_have_count(3)
    expect(page.locator(".list tbody tr", has_text="operator")).to_contain_text("值班")
    expect(page.locator(".list tbody tr", has_text="admin")).to_contain_text("✓ 正常")
    page = open_page("/users", role="operator")
    expect(page).to_have_url(f"{page.url.partition('/login')[0]}/login?next=/users")
