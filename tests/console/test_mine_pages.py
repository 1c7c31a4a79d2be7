"""Two days compared, who is on duty, what is mine, and a parent with its incidents."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from catalog.site import zone
from deploy.wait import wait_until
from tests.console.conftest import PASSWORD, Opener, Place
from tests.console.test_desk_pages import CHART

pytestmark = pytest.mark.browser
COMPARED = "/compare?stream=waterlogging&metric=depth_m&day=2026-10-02&other=2026-10-01"


@pytest.fixture
def two_days(conn: psycopg.Connection) -> Iterator[None]:
    """On 1 and 2 October two underpasses: 金新路 rises from 0.1 to 0.3 m, 东城根街 falls."""
    for sensor, day, value in (
        ("pond-jinxin", 1, 0.1),
        ("pond-jinxin", 2, 0.3),
        ("pond-dongchenggen", 1, 0.2),
        ("pond-dongchenggen", 2, 0.15),
    ):
        conn.execute(
            "INSERT INTO rollup_15m_waterlogging (sensor, window_start, revision, n, depth_m_n,"
            " depth_m_good, depth_m_used, depth_m_sum, depth_m_min, depth_m_max) SELECT %s,"
            " make_timestamptz(2026, 10, %s, 8, 15 * q, 0, 'Asia/Shanghai'), 1, 1, 1, 1, 1,"
            " %s::float8, %s::float8, %s::float8 + 0.05 FROM generate_series(0, 3) q",
            [sensor, day, value, value, value],
        )
    yield
    conn.execute("DELETE FROM rollup_15m_waterlogging WHERE window_start < '2026-10-09'")


def test_two_days_lie_on_the_same_axes_and_differ_in_words_and_units(
    open_page: Opener, two_days: None
) -> None:
    page = open_page(f"{COMPARED}&sensor=pond-jinxin")
    expect(page.get_by_role("heading", name="两日对比：金新路下穿隧道")).to_have_count(2)
    expect(page.locator(".figures .advice")).to_have_text(
        "2026-10-02 平均 0.30 m，比 2026-10-01 高 0.20 m（+200 %）。"
        "只比较两日都有数据的时段，共 4 个 15 分钟。"
    )
    high = page.locator(".figures tbody tr", has_text="最高")
    expect(high).to_contain_text("0.35 m（08:00）")
    expect(high).to_contain_text("+0.20 m")
    wait_until(lambda: len(page.evaluate(CHART, ".days")["series"]) == 3, 15.0, "two lines")
    drawn = page.evaluate(CHART, ".days")
    lines = [[at for at, _ in data] for kind, data in drawn["series"] if kind == "line"]
    assert lines[0] == lines[1], "one above the other by the time of day"
    midnight = datetime(2026, 10, 2, tzinfo=zone())
    bounds = [t.timestamp() * 1000 for t in (midnight, midnight + timedelta(days=1))]
    assert [drawn["from"], drawn["to"]] == bounds


def test_districts_are_ranked_side_by_side(
    open_page: Opener, two_days: None, place: Place, sessions: dict[str, str]
) -> None:
    page = open_page(COMPARED, width=390, height=844)
    rows = page.locator(".ranking tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("锦江区")
    expect(rows.nth(0)).to_contain_text("+0.20 m")
    expect(rows.nth(1)).to_contain_text("−0.05 m")
    cookies = {"cityops_session": sessions["operator"]}
    with httpx.Client(base_url=place.url, cookies=cookies, timeout=30) as browser:
        for odd in ("day=soon", "day=9999-12-31", "other=2026-02-31", "day=0001-01-01"):
            assert browser.get(f"/compare?{odd}").status_code == 422, odd
        for empty in ("day=&other=&sensor=", "metric=nope", "stream=nope", "sensor=nope"):
            assert browser.get(f"/compare?{empty}").status_code == 200, empty


def test_who_is_on_duty_is_kept_and_stands_first_where_work_is_given(
    open_page: Opener, conn: psycopg.Connection, family: str
) -> None:
    page = open_page("/duty", width=390, height=844)
    expect(page.locator(".now")).to_contain_text("当前未排班")
    page.get_by_text("＋ 排班").click()
    form = page.locator(".add")
    form.get_by_label("姓名").fill("王芳")
    form.get_by_label("电话").fill("call me")
    now = datetime.now(zone())
    for label, at in (("上班", now - timedelta(hours=1)), ("下班", now + timedelta(hours=7))):
        form.get_by_label(label).fill(at.strftime("%Y-%m-%dT%H:%M"))
    form.get_by_role("button", name="排班").click()
    expect(page.get_by_text("电话为 3 至 30 位数字")).to_be_visible()
    form.get_by_label("电话").fill("028-6180 1234")
    form.get_by_role("button", name="排班").click()
    on = page.locator(".now tbody tr", has_text="王芳")
    expect(on.get_by_role("link", name="028-6180 1234")).to_have_attribute(
        "href", "tel:02861801234"
    )
    conn.execute("UPDATE console_duty SET account = 'viewer'")
    page = open_page(f"/incidents/{family}")
    expect(page.locator(".ring")).to_contain_text("王芳（值班） 028-6180 1234")
    expect(page.get_by_role("combobox", name="指派给谁")).to_have_value("viewer（运行中心值班）")
    page = open_page("/duty")
    page.locator(".roster tbody tr", has_text="王芳").get_by_role("button", name="删除").click()
    expect(page.locator(".roster")).to_contain_text("尚未排班")
    told = conn.execute("SELECT what FROM audit WHERE what LIKE 'duty.%' ORDER BY seq").fetchall()
    assert told == [("duty.add",), ("duty.remove",)]


def test_the_report_of_a_day_is_opened_and_written_into(
    open_page: Opener, conn: psycopg.Connection, place: Place
) -> None:
    page = open_page("/report")
    text = "02:35 金新路积水\n<b>泵车</b> 已到"
    page.get_by_label("值班记录、交接事项").fill(text)
    page.get_by_role("button", name="写入日报").click()
    expect(page.locator(".list tbody tr")).to_contain_text("operator")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="打开日报").click()
    sheet = opened.value
    expect(sheet.locator("h1")).to_contain_text("运行日报")
    note = sheet.locator("main.notes .note")
    expect(note).to_contain_text("<b>泵车</b> 已到")
    assert sheet.locator("main.notes b").count() == 0, "what people write is text"
    sheet.close()
    with httpx.Client(base_url=place.url, timeout=30) as stranger:
        away = stranger.get("/report/sheet?day=2026-11-01")
        assert (away.status_code, away.headers["location"]) == (
            303,
            "/login?next=/report/sheet%3Fday%3D2026-11-01",
        )
        assert stranger.get("/report/sheet?day=soon").status_code == 422
    with pytest.raises(psycopg.errors.RaiseException):
        conn.execute("DELETE FROM console_report_notes")


@pytest.fixture
def family(conn: psycopg.Connection) -> Iterator[str]:
    """A rainstorm in two districts; the one in 锦江 is given to the operator."""
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES ('mine-1', 'waterlogging.ponding',"
        " 'waterlogging', 'pond-jinxin', 'active', 2, 2, 'depth_m', 0.28, 0.27, now(), now())"
    )
    conn.execute(
        "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
        " root_sensor, district, opened_at, newest_at, changed_at, confirmed_at, parent, assignee)"
        " VALUES ('mine-all', 'rainstorm', 'confirmed', 3, 3, 'mine-1', 'pond-jinxin', '', now(),"
        " now(), now(), now(), NULL, NULL), ('mine-one', 'waterlogging', 'confirmed', 3, 3,"
        " 'mine-1', 'pond-jinxin', '510104', now(), now(), now(), now(), 'mine-all', 'operator'),"
        " ('mine-two', 'waterlogging', 'confirmed', 3, 3, 'mine-1', 'pond-dongchenggen', '510105',"
        " now(), now(), now(), now(), 'mine-all', NULL)"
    )
    conn.execute(
        "INSERT INTO incident_members VALUES ('mine-1', 'mine-one', 'trigger', false, now())"
    )
    conn.execute(
        "INSERT INTO incident_acts (incident, who, act, note) VALUES"
        " ('mine-all', 'cityops', 'gathered', 'mine-one'),"
        " ('mine-two', 'admin', 'comment', '请@operator 看一下'),"
        " ('mine-two', 'admin', 'comment', '@operators 不是你，邮箱 a@operator.cn 也不是'),"
        " ('mine-two', 'operator', 'comment', '@operator 自己写的')"
    )
    yield "mine-all"
    conn.execute("DELETE FROM incident_members WHERE incident LIKE 'mine-%'")
    conn.execute("ALTER TABLE incident_acts DISABLE TRIGGER USER")
    conn.execute("DELETE FROM incident_acts WHERE incident LIKE 'mine-%'")
    conn.execute("ALTER TABLE incident_acts ENABLE TRIGGER USER")
    conn.execute("DELETE FROM incidents WHERE parent LIKE 'mine-%'")
    conn.execute("DELETE FROM incidents WHERE id LIKE 'mine-%'")
    conn.execute("DELETE FROM episodes WHERE id = 'mine-1'")


def test_of_one_rain_lists_and_wall_show_one_and_its_page_all(
    open_page: Opener, family: str
) -> None:
    page = open_page("/incidents")
    rows = page.locator(".list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("暴雨内涝")
    expect(rows).to_contain_text("锦江区、青羊区")
    expect(rows).to_contain_text("2/2")
    page = open_page("/incidents?kind=waterlogging")
    expect(page.locator(".list tbody tr")).to_have_count(2)
    page = open_page(f"/incidents/{family}")
    expect(page.get_by_role("heading", level=1)).to_have_text("暴雨内涝 · 锦江区、青羊区")
    expect(page.locator(".evidence tbody")).to_contain_text("金新路下穿隧道")
    expect(page.locator(".timeline tbody")).to_contain_text("归入本事件城市内涝 · 锦江区")
    page.locator(".children").get_by_role("link", name="城市内涝 · 青羊区").click()
    page.wait_for_url("**/incidents/mine-two")
    above = page.locator(".glance").get_by_role("link", name="暴雨内涝")
    expect(above).to_have_attribute("href", f"/incidents/{family}")
    wall = open_page("/wall?seconds=0", width=1920, height=1080)
    shown = wall.locator(".wall-page.city .wall-incidents tbody tr")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("暴雨内涝 · 锦江区、青羊区")


def test_what_is_given_and_said_to_me_and_where_i_begin(
    open_page: Opener, family: str, place: Place, conn: psycopg.Connection
) -> None:
    page = open_page("/")
    page.locator(".person .who").click()
    page.wait_for_url("**/me")
    expect(page.locator(".given tbody tr")).to_have_count(1)
    expect(page.locator(".given tbody")).to_contain_text("城市内涝")
    said = page.locator(".mentions tbody tr")
    expect(said).to_have_count(1)
    expect(said).to_contain_text("请@operator 看一下")
    page.get_by_label("登录后首先打开").click()
    page.get_by_role("option", name="事件").click()
    page.locator(".settings").get_by_role("button", name="保存").click()
    expect(page.get_by_text("下次登录生效")).to_be_visible()
    try:
        for wanted, first in (({}, "/incidents"), ({"next": "/alerts"}, "/alerts")):
            form = {"name": "operator", "password": PASSWORD} | wanted
            answer = httpx.post(f"{place.url}/login", data=form, timeout=30)
            assert answer.headers["location"] == first
    finally:
        conn.execute("DELETE FROM console_people")
