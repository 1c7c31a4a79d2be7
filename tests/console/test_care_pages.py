"""Incidents, receivers with their delivery log, and silences in a real browser."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import expect

from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
INCIDENT = "care-inc"
RECEIVER = "care-duty"


@pytest.fixture
def incident(conn: psycopg.Connection) -> Iterator[str]:
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
    yield INCIDENT
    conn.execute("DELETE FROM incident_members")
    conn.execute("ALTER TABLE incident_acts DISABLE TRIGGER USER")
    conn.execute("DELETE FROM incident_acts")
    conn.execute("ALTER TABLE incident_acts ENABLE TRIGGER USER")
    conn.execute("DELETE FROM incidents")
    conn.execute("DELETE FROM episodes WHERE id = 'care-1'")


def test_an_incident_is_confirmed_and_its_tasks_ticked_off(
    open_page: Opener, conn: psycopg.Connection, incident: str
) -> None:
    page = open_page("/incidents?kind=waterlogging")
    row = page.locator(".list tbody tr")
    expect(row).to_contain_text("待核实")
    row.get_by_role("link").click()
    page.wait_for_url(f"**/incidents/{incident}")
    expect(page.get_by_role("heading", name="城市内涝 · 青羊区")).to_be_visible()
    expect(page.locator(".evidence tbody tr")).to_contain_text("东城根街下穿隧道")
    page.get_by_role("button", name="核实属实").click()
    expect(page.locator(".glance")).to_contain_text("✓ 已核实")
    task = page.locator(".plan tbody tr", has_text="封闭积水下穿隧道")
    task.get_by_role("button", name="完成").click()
    expect(task).to_contain_text("✓ operator")
    page.get_by_label("备注").fill("泵车已到")
    page.get_by_role("button", name="添加备注").click()
    expect(page.locator(".timeline tbody")).to_contain_text("泵车已到")
    expect(page.locator(".timeline tbody")).to_contain_text("完成任务封闭积水下穿隧道")
    row_ = conn.execute(
        "SELECT status, confirmed_by FROM incidents WHERE id = %s", [incident]
    ).fetchone()
    assert row_ == ("confirmed", "operator")
    page.get_by_role("button", name="结束事件").click()
    expect(page.get_by_text("请先填写备注")).to_be_visible()
    page.get_by_label("备注").fill("水已退")
    page.get_by_role("button", name="结束事件").click()
    expect(page.locator(".glance")).to_contain_text("已结束")
    page.get_by_role("button", name="重新打开").click()
    expect(page.locator(".glance")).to_contain_text("重开次数1")
    expect(page.locator(".timeline tbody tr").nth(1)).to_contain_text("水已退")
    expect(page.get_by_role("button", name="结束事件")).to_be_visible()
    audited = conn.execute("SELECT what FROM audit WHERE target = %s ORDER BY seq", [incident])
    acts = ["confirm", "comment", "resolve", "reopen"]
    assert [what for (what,) in audited.fetchall()] == [f"incident.{act}" for act in acts]
    ticked = "SELECT who FROM audit WHERE what = 'task.done' ORDER BY seq DESC LIMIT 1"
    assert conn.execute(ticked).fetchone() == ("operator",)


def test_an_incident_is_merged_and_knows_a_similar_one_before(
    open_page: Opener, conn: psycopg.Connection, incident: str
) -> None:
    conn.execute(
        "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
        " root_sensor, district, opened_at, newest_at, changed_at, confirmed_at, resolved_at)"
        " SELECT id || state, kind, state, 3, 1, root_episode, root_sensor, '510106', opened_at,"
        " now(), now(), opened_at, CASE WHEN state = 'resolved' THEN now() END"
        " FROM incidents, unnest(ARRAY['confirmed', 'resolved']) state WHERE id = %s",
        [incident],
    )
    similar = f"{incident}resolved"
    conn.execute("UPDATE incidents SET similar_id = %s WHERE id = %s", [similar, incident])
    page = open_page(f"/incidents/{incident}", language="en", width=390, height=844)
    past = page.locator(".similar")
    expect(past).to_contain_text("Response Ⅰ")
    expect(past.get_by_role("link")).to_have_attribute("href", f"/incidents/{similar}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    merge = page.get_by_role("button", name="Merge", exact=True)
    page.get_by_label("Merge into which incident").focus()
    page.keyboard.press("Tab")
    expect(merge).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".glance")).to_contain_text("merged")
    expect(merge).to_have_count(0)
    link = page.locator(".glance").get_by_role("link")
    expect(link).to_have_attribute("href", f"/incidents/{incident}confirmed")


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
    page.get_by_role("button", name="重发 24 小时内投递失败的").click()
    expect(page.get_by_text("重发 1 条")).to_be_visible()
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


def test_an_administrator_adds_tests_changes_and_rotates_a_receiver(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    page = open_page("/receivers", role="admin")
    summary = page.locator("summary", has_text="新增通知对象")
    summary.focus()
    page.keyboard.press("Enter")
    form = page.locator("details.new")
    form.get_by_label("名称").fill("Night Duty")
    form.get_by_label("地址").fill("http://127.0.0.1:9/hook?token=quiet7")
    form.get_by_role("button", name="新增").click()
    expect(page.get_by_text("名称: 格式有误")).to_be_visible()
    form.get_by_label("名称").fill("night-duty")
    form.get_by_label("地址").fill("https://elsewhere.example/hook")
    form.get_by_role("button", name="新增").click()
    expect(page.get_by_text("elsewhere.example")).to_be_visible()
    form.get_by_label("地址").fill("http://127.0.0.1:9/hook?token=quiet7")
    form.get_by_label("通道").click()
    page.get_by_role("option", name="演练通道").click()
    form.get_by_role("button", name="新增").click()
    secret = form.locator(".secret .code")
    expect(secret).to_contain_text("whsec_")
    first = secret.inner_text()
    line = page.locator(".list tbody tr", has_text="night-duty")
    expect(line).to_contain_text("演练通道")
    assert "quiet7" not in page.content()
    page.reload()
    assert first not in page.content(), "shown once"
    line.get_by_role("button", name="测试").click()
    expect(line.locator("td").nth(6)).to_contain_text("1")
    line.get_by_role("link").click()
    page.wait_for_url("**/receivers/night-duty")
    settings = page.locator(".glance")
    settings.get_by_label("最低级别").click()
    page.get_by_role("option", name="II 橙色").click()
    settings.get_by_role("button", name="保存").click()
    expect(settings.locator(".facts")).to_contain_text("II 橙色")
    settings.get_by_role("button", name="轮换密钥").click()
    expect(settings.locator(".secret .code")).to_contain_text("whsec_")
    assert settings.locator(".secret .code").inner_text() != first
    expect(settings.locator(".facts")).to_contain_text("旧密钥有效至")
    row = conn.execute(
        "SELECT channel, min_severity, secret LIKE 'fernet:%', previous_until > now()"
        " FROM receivers WHERE name = 'night-duty'"
    ).fetchone()
    assert row == ("exercise", 2, True, True)
    page.locator("summary", has_text="移除通知对象").click()
    page.get_by_role("button", name="移除 night-duty").click()
    page.wait_for_url("**/receivers")
    expect(page.locator(".list tbody tr", has_text="night-duty")).to_have_count(0)
    told = conn.execute(
        "SELECT what, detail::text FROM audit WHERE target = 'night-duty' ORDER BY seq"
    ).fetchall()
    whats = ["create", "test", "change", "rotate", "remove"]
    assert [what for what, _ in told] == [f"receiver.{what}" for what in whats]
    assert not any("quiet7" in detail or "whsec" in detail for _, detail in told)


def test_only_an_administrator_is_offered_a_new_receiver(open_page: Opener) -> None:
    page = open_page("/receivers", language="en")
    expect(page.get_by_role("heading", name="Receivers")).to_be_visible()
    expect(page.locator("details.new")).to_have_count(0)


def test_a_silence_is_previewed_set_and_ended(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_page("/silences")
    others = page.get_by_label("其他条件")
    others.fill("没有 条件")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("“没有”不是有效的条件")).to_be_visible()
    others.fill("区县=青羊区 severity=~red|orange|yellow|blue")
    page.get_by_label("监测类别").click()
    page.get_by_role("option", name="道路积水").click()
    page.get_by_role("button", name="预览").click()
    row = conn.execute(
        "SELECT count(*) FROM episodes JOIN sensors USING (stream, sensor)"
        " WHERE stream = 'waterlogging' AND episodes.status <> 'cleared' AND district = '510105'"
    ).fetchone()
    assert row is not None
    expect(page.locator(".preview")).to_contain_text(f"将屏蔽 {row[0]} 条")
    expect(page.locator(".preview tbody")).to_contain_text("青羊区 东城根街下穿隧道")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text("原因: 不能为空")).to_be_visible()
    page.get_by_label("原因", exact=True).first.fill("管网检修")
    page.get_by_role("button", name="生效").click()
    line = page.locator(".list tbody tr", has_text="管网检修")
    expect(line).to_contain_text("生效中")
    expect(line).to_contain_text("监测类别 = 道路积水 · 区县 = 青羊区")
    line.get_by_role("button", name="结束").click()
    expect(line).to_have_count(0)
    row = conn.execute("SELECT author, ended_by FROM silences").fetchone()
    assert row == ("operator", "operator")
    done = conn.execute(
        "SELECT what, detail->>'address' FROM audit WHERE what LIKE 'silence.%%' ORDER BY seq"
    )
    acts = ("silence.create", "silence.expire")
    assert done.fetchall() == [(act, "127.0.0.1") for act in acts]
