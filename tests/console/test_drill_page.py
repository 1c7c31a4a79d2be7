"""Drills in a real browser, on a phone: planned, watched, ended."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import expect

from alerts.sources.responses import respond
from records.act import act
from records.context import Context
from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
INCIDENT = "care-inc"
RECEIVER = "care-duty"


def test_a_drill_is_planned_watched_and_ended(open_page: Opener, conn: psycopg.Connection) -> None:
    conn.execute("DELETE FROM receivers WHERE channel = 'exercise'")
    conn.execute(
        "INSERT INTO receivers (name, url, secret) VALUES"
        " ('care-real', 'https://real.example', 'x') ON CONFLICT DO NOTHING"
    )
    page = open_page("/drills", width=390, height=844)
    expect(page.get_by_text("没有演练通道的通知对象")).to_be_visible()
    expect(page.get_by_role("button", name="安排")).to_have_count(0)
    conn.execute(
        "INSERT INTO receivers (name, url, secret, channel, last_seq) VALUES"
        " ('care-drill', 'https://drill.example', 'x', 'exercise', 1)"
    )
    page.reload()
    form = page.locator(".new")
    form.get_by_label("通知对象").click()
    expect(page.get_by_role("option")).to_have_text(["care-drill"])
    page.keyboard.press("Escape")
    form.get_by_label("演练名称").fill("<b>隧道</b>积水")
    form.get_by_role("button", name="安排").click()
    expect(page.get_by_text("请填写 演练任务")).to_be_visible()
    form.get_by_label("演练任务").fill("封闭并调泵车")
    form.get_by_label("开始").fill("2020-01-01T08:00")
    form.get_by_role("button", name="安排").click()
    expect(page.get_by_text("时间已过")).to_be_visible()
    form.get_by_label("开始").fill("")
    form.get_by_role("button", name="安排").click()
    line = page.locator(".list tbody tr", has_text="<b>隧道</b>积水")
    expect(line).to_contain_text("待开始")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    number = line.get_by_role("link").get_attribute("href", timeout=5000)
    assert number is not None
    drill = int(number.rsplit("-", 1)[1])
    loop = Context(conn, "cityops", "engine")
    act(loop, "drill", drill, "start")
    told = datetime.now(UTC) - timedelta(minutes=3)
    conn.execute(
        "INSERT INTO outbox (id, receiver, receiver_seq, channel, kind, body, drill,"
        " first_delivered_at, delivered_at) SELECT 'care-drill-msg', id, 1, 'exercise', 'started',"
        " '{}', %s, %s, %s FROM receivers WHERE name = 'care-drill'",
        [drill, told, told],
    )
    conn.execute(
        "INSERT INTO outbox_subjects (outbox, position, subject, kind)"
        " VALUES ('care-drill-msg', 0, %s, 'started')",
        [f"drill-{drill}"],
    )
    expect(line).to_contain_text("进行中")  # else the line may be drawn anew under the click
    line.get_by_role("link").click()
    page.wait_for_url(f"**/records/drill/drill-{drill}")
    result = page.locator(".answers tbody tr")
    expect(result).to_contain_text("care-drill")
    at = told + timedelta(seconds=90)
    respond(conn, f"drill-{drill}", "accepted", "care-drill", "li", at, via="api")
    expect(result).to_contain_text("90 秒")
    page.get_by_role("button", name="提前结束").click()
    expect(page.locator(".glance")).to_contain_text("提前结束")
    audited = conn.execute("SELECT what, who FROM audit WHERE what LIKE 'drill.%%' ORDER BY seq")
    assert audited.fetchall() == [
        ("drill.open", "operator"),
        ("drill.start", "cityops"),
        ("drill.stop", "operator"),
    ]
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            "INSERT INTO outbox (id, receiver, receiver_seq, channel, kind, body, drill)"
            " SELECT 'care-wrong', id, 1, 'actual', 'started', '{}', %s FROM receivers"
            " WHERE name = 'care-real'",
            [drill],
        )
