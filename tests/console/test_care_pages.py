"""Incidents, receivers with their delivery log, and silences in a real browser."""

import psycopg
import pytest
from playwright.sync_api import expect

from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
INCIDENT = "care-inc"
RECEIVER = "care-duty"


@pytest.fixture
def incident(conn: psycopg.Connection) -> str:
    """A candidate of waterlogging with one alert as its evidence."""
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at, cleared_at) VALUES ('care-1',"
        " 'waterlogging.ponding', 'waterlogging', 'pond-dongchenggen', 'cleared', 2, 2, 'depth_m',"
        " 0.28, 0.27, now() - interval '20 minutes', now(), now())"
    )
    conn.execute(
        "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
        " root_sensor, district, lon, lat, opened_at, newest_at, changed_at) VALUES (%s,"
        " 'waterlogging', 'candidate', 3, 3, 'care-1', 'pond-dongchenggen', '510105', 104.059,"
        " 30.667, now() - interval '20 minutes', now(), now())",
        [INCIDENT],
    )
    conn.execute(
        "INSERT INTO incident_members VALUES ('care-1', %s, 'trigger', false, now())", [INCIDENT]
    )
    return INCIDENT


def test_an_incident_is_confirmed_and_its_tasks_ticked_off(
    open_page: Opener, conn: psycopg.Connection, incident: str
) -> None:
    page = open_page("/incidents?kind=waterlogging")
    row = page.locator(".list tbody tr")
    expect(row).to_contain_text("疑似")
    row.get_by_role("link").click()
    page.wait_for_url(f"**/incidents/{incident}")
    expect(page.get_by_role("heading", name="城市内涝 · 青羊区")).to_be_visible()
    expect(page.locator(".evidence tbody tr")).to_contain_text("东城根街下穿隧道")
    page.get_by_role("button", name="确认为真").click()
    expect(page.locator(".glance")).to_contain_text("✓ 已确认")
    task = page.locator(".plan tbody tr", has_text="封闭积水下穿隧道")
    task.get_by_role("button", name="完成").click()
    expect(task).to_contain_text("✓ operator")
    page.get_by_label("备注").fill("泵车已到")
    page.get_by_role("button", name="添加备注").click()
    expect(page.locator(".timeline tbody")).to_contain_text("泵车已到")
    row_ = conn.execute(
        "SELECT status, confirmed_by FROM incidents WHERE id = %s", [incident]
    ).fetchone()
    assert row_ == ("confirmed", "operator")
    audited = conn.execute("SELECT what FROM audit WHERE target = %s ORDER BY seq", [incident])
    done = [what for (what,) in audited.fetchall()]
    assert done == ["incident.confirm", "incident.task", "incident.comment"]


def test_a_delivery_that_was_given_up_is_looked_into_and_sent_again(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    conn.execute(
        "INSERT INTO receivers (name, url, secret, last_seq)"
        " VALUES (%s, 'https://duty.example/hook', 'x', 1)",
        [RECEIVER],
    )
    conn.execute(
        "INSERT INTO outbox (id, receiver, receiver_seq, kind, headline, body, attempts, failed_at,"
        " last_error) SELECT 'care-msg', id, 1, 'raised', '道路积水', '{\"a\": \"<b>\"}', 12,"
        " now(), 'HTTP 500' FROM receivers WHERE name = %s",
        [RECEIVER],
    )
    conn.execute(
        "INSERT INTO deliveries (outbox, attempt, status_code, error, duration_ms)"
        " VALUES ('care-msg', 12, 500, 'HTTP 500', 31)"
    )
    page = open_page("/receivers")
    line = page.locator(".list tbody tr", has_text=RECEIVER)
    expect(line).to_contain_text("HTTP 500")
    expect(line.get_by_role("button", name="停用")).to_have_count(0)
    line.get_by_role("button", name="测试").click()
    expect(page.get_by_text("测试消息已排队")).to_be_visible()
    line.get_by_role("link").click()
    page.wait_for_url(f"**/receivers/{RECEIVER}")
    expect(page.locator(".list tbody tr")).to_have_count(2)
    page.get_by_role("link", name="道路积水").click()
    expect(page.locator(".attempts tbody tr")).to_contain_text("31 ms")
    expect(page.locator(".source")).to_have_text('{"a": "<b>"}')
    page.go_back()
    page.get_by_role("button", name="重放 24 小时内放弃的").click()
    expect(page.get_by_text("重放 1 条")).to_be_visible()
    expect(page.locator(".list tbody tr", has_text="道路积水")).to_contain_text("待送")
    again = conn.execute("SELECT failed_at, replays FROM outbox WHERE id = 'care-msg'").fetchone()
    assert again == (None, 1)


def test_an_administrator_switches_a_receiver_off(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    conn.execute(
        "INSERT INTO receivers (name, url, secret) VALUES ('care-off', 'https://off.example', 'x')"
    )
    page = open_page("/receivers", role="admin")
    line = page.locator(".list tbody tr", has_text="care-off")
    line.get_by_role("button", name="停用").click()
    expect(line).to_contain_text("✕ 停用")
    on = conn.execute("SELECT enabled FROM receivers WHERE name = 'care-off'").fetchone()
    assert on == (False,)


def test_a_silence_is_previewed_set_and_ended(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_page("/silences")
    matchers = page.get_by_label("匹配，如")
    matchers.fill("no matcher")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("is no matcher")).to_be_visible()
    matchers.fill("stream=waterlogging severity=~red|orange|yellow|blue")
    page.get_by_role("button", name="预览").click()
    row = conn.execute(
        "SELECT count(*) FROM episodes WHERE stream = 'waterlogging' AND status <> 'cleared'"
    ).fetchone()
    assert row is not None
    expect(page.locator(".preview")).to_contain_text(f"将隐藏 {row[0]} 条")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text("reason: ")).to_be_visible()
    page.get_by_label("原因", exact=True).first.fill("管网检修")
    page.get_by_role("button", name="生效").click()
    line = page.locator(".list tbody tr", has_text="管网检修")
    expect(line).to_contain_text("生效中")
    line.get_by_role("button", name="结束").click()
    expect(line).to_have_count(0)
    row = conn.execute("SELECT author, ended_by FROM silences").fetchone()
    assert row == ("operator", "operator")
    done = conn.execute("SELECT what FROM audit WHERE what LIKE 'silence.%%' ORDER BY seq")
    assert done.fetchall() == [("silence.create",), ("silence.expire",)]


@pytest.mark.parametrize("width", [1366, 390])
def test_care_pages_fit_their_width(
    open_page: Opener, conn: psycopg.Connection, width: int
) -> None:
    page = open_page("/incidents", role="admin", width=width)
    home = page.url.removesuffix("/incidents")
    for path in ("receivers", "silences"):
        expect(page.locator(".panel").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
        page.goto(f"{home}/{path}")
