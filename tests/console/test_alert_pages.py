"""The list of alerts and the page of one, in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.console.charts import LINE, ORANGE, assert_drawn
from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
SENSOR = "pond-peifeng"


@contextmanager
def ponding(conn: psycopg.Connection, episode: str, sensor: str = SENSOR) -> Iterator[str]:
    """Have an alert of a flooded underpass, whose level rose from III to I, for a while."""
    values = {"id": episode, "sensor": sensor}
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES (%(id)s, 'waterlogging.ponding',"
        " 'waterlogging', %(sensor)s, 'active', 1, 1, 'depth_m', 0.31, 0.3,"
        " now() - interval '20 minutes', now() - interval '15 minutes')",
        values,
    )
    for kind, severity, value, minutes in (("raised", 3, 0.21, 20), ("changed", 1, 0.31, 15)):
        conn.execute(
            "INSERT INTO transitions (id, episode, rule, stream, sensor, kind, severity, metric,"
            " value, threshold, observed_at, produced_at) VALUES (%(id)s || %(kind)s, %(id)s,"
            " 'waterlogging.ponding', 'waterlogging', %(sensor)s, %(kind)s, %(severity)s,"
            " 'depth_m', %(value)s, 0.2, now() - make_interval(mins => %(minutes)s), now())",
            values | {"kind": kind, "severity": severity, "value": value, "minutes": minutes},
        )
    try:
        yield episode
    finally:
        conn.execute(
            "UPDATE episodes SET status = 'cleared', cleared_at = now() WHERE id = %s", [episode]
        )


def rows(page: Page) -> list[str]:
    return page.locator(".list tbody tr").all_inner_texts()


def active(conn: psycopg.Connection, domain: str, worst: int) -> int:
    """Return how many alerts of a domain are open at this level or above."""
    row = conn.execute(
        "SELECT count(*) FROM dash.active_alerts(1000) WHERE domain = %s AND severity <= %s",
        [domain, worst],
    ).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def only_ours(conn: psycopg.Connection) -> Iterator[None]:
    """The red pondings of the seeded city are of another level meanwhile."""
    rows = conn.execute(
        "UPDATE episodes SET severity = 2 WHERE stream = 'waterlogging' AND status = 'active'"
        " AND severity = 1 RETURNING id"
    ).fetchall()
    yield
    conn.execute("UPDATE episodes SET severity = 1 WHERE id = ANY(%s)", [[row for (row,) in rows]])


def test_filters_are_the_address_and_go_back(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_page("/alerts?domain=water")
    shown = page.locator(".list tbody tr")
    whole, urgent = active(conn, "water", 4), active(conn, "water", 2)
    assert 0 < urgent < whole
    expect(shown).to_have_count(whole)
    page.get_by_label("级别").select_option("2")
    page.wait_for_url("**severity=2**")
    expect(shown).to_have_count(urgent)
    assert page.get_by_label("领域").input_value() == "water"
    page.get_by_label("状态").select_option("cleared")
    page.wait_for_url("**state=cleared**")
    expect(shown.first).to_contain_text("已解除")
    page.go_back()
    expect(shown.first).to_contain_text("未解除")


def test_several_alerts_are_taken_at_once(open_page: Opener, conn: psycopg.Connection) -> None:
    with only_ours(conn), ponding(conn, "bulk-1"), ponding(conn, "bulk-2", "pond-shangmao"):
        page = open_page("/alerts?stream=waterlogging&severity=1")
        expect(page.locator(".list tbody tr")).to_have_count(2)
        button = page.get_by_role("button", name="签收所选")
        expect(button).to_be_disabled()
        page.locator(".list thead input").check()
        page.get_by_label("备注").fill("排水队已出动")
        page.get_by_role("button", name="签收所选（2）").click()
        expect(page.get_by_text("已签收 2 条")).to_be_visible()
        expect(page.locator(".list tbody tr", has_text="operator")).to_have_count(2)
        acked = conn.execute(
            "SELECT ack_note, acked_by FROM episodes WHERE id LIKE 'bulk-%%' ORDER BY id"
        ).fetchall()
        assert acked == [("排水队已出动", "operator")] * 2
        audited = conn.execute(
            "SELECT target FROM audit WHERE what = 'alert.ack' AND target LIKE 'bulk-%%' ORDER BY 1"
        ).fetchall()
        assert audited == [("bulk-1",), ("bulk-2",)]


def test_the_list_follows_what_happens(open_page: Opener, conn: psycopg.Connection) -> None:
    with only_ours(conn):
        page = open_page("/alerts?stream=waterlogging&severity=1", role="viewer")
        expect(page.get_by_text("没有符合条件的告警")).to_be_visible()
        expect(page.locator(".list input[type=checkbox]")).to_have_count(0)
        with ponding(conn, "follow-1"):
            expect(page.locator(".list tbody tr")).to_contain_text("培风下穿隧道")
        expect(page.get_by_text("没有符合条件的告警")).to_be_visible(timeout=20_000)


def test_the_page_of_an_alert_shows_course_standard_place_and_who_was_told(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    conn.execute(
        "INSERT INTO receivers (name, url, secret, last_seq)"
        " VALUES ('flood-duty', 'https://duty.example', 'x', 1)"
    )
    with ponding(conn, "page-1") as episode:
        conn.execute(
            "INSERT INTO outbox (id, receiver, receiver_seq, episode, kind, headline, body,"
            " attempts, delivered_at) SELECT 'msg-1', id, 1, %s, 'raised', '积水', '{}', 2, now()"
            " FROM receivers WHERE name = 'flood-duty'",
            [episode],
        )
        conn.execute(
            "INSERT INTO outbox_subjects (outbox, position, subject, kind)"
            " VALUES ('msg-1', 0, %s, 'raised')",
            [episode],
        )
        conn.execute(
            "UPDATE aggregates_waterlogging SET depth_m_sum = 0.31 * depth_m_good, depth_m_max ="
            " 0.31 WHERE sensor = %s AND window_start > now() - interval '20 minutes'",
            [SENSOR],
        )
        page = open_page(f"/alerts/{episode}")
        expect(page.get_by_role("heading", name="道路积水")).to_be_visible()
        timeline = page.locator(".timeline tbody tr")
        expect(timeline).to_have_count(3)
        expect(timeline.last).to_contain_text("0.21 m")
        red = page.locator(".rule tbody tr", has_text="≥ 0.30")
        expect(red).to_contain_text("成都市下穿隧道警戒线")
        expect(page.locator(".glance")).to_contain_text("封闭下穿隧道")
        expect(page.locator(".topology tbody")).to_contain_text("青羊区10 kV 馈线 1 号")
        expect(page.locator(".nearby tbody tr").first).to_contain_text("km")
        expect(page.locator(".deliveries tbody tr")).to_contain_text("flood-duty")
        expect(page.locator(".deliveries tbody tr")).to_contain_text("已送达")
        assert_drawn(page, LINE, ORANGE)
        link = page.locator(".glance").get_by_role("link", name="培风下穿隧道")
        expect(link).to_have_attribute("href", f"/sensors/waterlogging/{SENSOR}")


def test_an_operator_acts_on_an_alert_and_notes_are_text(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    with ponding(conn, "act-1") as episode:
        page = open_page(f"/alerts/{episode}")
        page.get_by_role("button", name="暂缓 1 小时").click()
        expect(page.get_by_text("请先填写备注")).to_be_visible()
        page.get_by_label("备注").fill("<img src=x onerror=alert(1)> 看过")
        page.get_by_role("button", name="添加备注").click()
        expect(page.locator(".timeline tbody")).to_contain_text("<img src=x onerror=alert(1)>")
        ack = page.get_by_role("button", name="签收", exact=True)
        ack.click()
        expect(page.locator(".glance")).to_contain_text("operator")
        expect(ack).to_have_count(0)
        page.get_by_role("button", name="指派给我").click()
        expect(page.locator(".timeline tbody")).to_contain_text("指派给 operator")
        page.get_by_label("指派给谁").click()
        page.get_by_role("option", name="viewer").click()
        page.get_by_role("button", name="指派", exact=True).click()
        expect(page.locator(".timeline tbody")).to_contain_text("指派给 viewer")
        unshelve = page.get_by_role("button", name="取消暂缓")
        expect(unshelve).to_have_count(0)
        page.get_by_label("备注").fill("维修中")
        page.get_by_role("button", name="暂缓 1 小时").click()
        expect(page.locator(".glance")).to_contain_text("维修中")
        expect(page.get_by_role("button", name="结束告警")).to_have_count(0)
        unshelve.click()
        expect(unshelve).to_have_count(0)
        done = conn.execute(
            "SELECT act FROM episode_acts WHERE episode = %s ORDER BY id", [episode]
        ).fetchall()
        acts = ["comment", "ack", "assign", "assign", "shelve", "unshelve"]
        assert [act for (act,) in done] == acts
        audited = conn.execute("SELECT what FROM audit WHERE target = %s ORDER BY seq", [episode])
        assert [what for (what,) in audited.fetchall()] == [f"alert.{act}" for act in acts]


def test_an_alert_from_elsewhere_is_ended_with_a_note(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
        " raised_at, changed_at, labels, annotations) VALUES ('end-1', 'external.水泵过热',"
        " 'external', 'pump 0a', 'active', 2, 1, now(), now(), '{\"alertname\": \"水泵过热\"}',"
        ' \'{"summary": "3 号水泵过热"}\')'
    )
    page = open_page("/alerts/end-1")
    end = page.get_by_role("button", name="结束告警")
    end.click()
    expect(page.get_by_text("请先填写备注")).to_be_visible()
    page.get_by_label("备注").fill("对方规则已删除")
    end.click()
    expect(page.locator(".timeline tbody")).to_contain_text("结束 对方规则已删除")
    expect(end).to_have_count(0)
    row = conn.execute("SELECT status FROM episodes WHERE id = 'end-1'").fetchone()
    assert row == ("cleared",)
    done = conn.execute("SELECT who, what FROM audit WHERE target = 'end-1'").fetchall()
    assert done == [("operator", "alert.end")]
    page = open_page("/alerts?state=all&severity=1&within=1")
    line = page.locator(".list tbody tr", has_text="3 号水泵过热")
    expect(line).to_contain_text("II 橙色")
    expect(line).to_contain_text("I 红色")


def test_a_viewer_reads_and_an_unknown_alert_is_said_to_be_unknown(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    with ponding(conn, "read-1") as episode:
        page = open_page(f"/alerts/{episode}", role="viewer", language="en")
        expect(page.get_by_role("heading", name="Road ponding")).to_be_visible()
        expect(page.get_by_role("button", name="Acknowledge", exact=True)).to_have_count(0)
        labels = " ".join(page.locator("h1, h2, th, dt, .advice, .badge").all_inner_texts())
        assert re.findall("[一-鿿]", labels) == []
    page = open_page("/alerts/no-such")
    expect(page.get_by_text("没有 no-such")).to_be_visible()
