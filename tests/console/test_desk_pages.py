"""What an officer does all day: find, choose a period, save a list, see whose number and where."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from catalog.site import zone
from deploy.wait import wait_until
from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
ID = "desk-1"
MAP = """async () => { const { echarts } = await import("nicegui-echart");
    const chart = echarts.getInstanceByDom(document.querySelector(".city-map"));
    const { zoom, center } = chart?.getOption()?.geo?.[0] ?? { zoom: 0, center: [0, 0] };
    return [zoom, ...center]; }"""
CHART = """async (at) => { const { echarts } = await import("nicegui-echart");
    const chart = echarts.getInstanceByDom(document.querySelector(at + " .chart > div"));
    const { series, xAxis } = chart?.getOption() ?? { series: [], xAxis: [{ min: 0, max: 0 }] };
    const drawn = series.map((s) => [s.type, s.data]);
    return { series: drawn, from: xAxis[0].min, to: xAxis[0].max }; }"""


@pytest.fixture
def alert(conn: psycopg.Connection) -> Iterator[str]:
    """A red alert of ponding in Wuhou that is shelved, in an incident."""
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES (%s, 'waterlogging.ponding',"
        " 'waterlogging', 'waterlogging-510107-01', 'active', 1, 1, 'depth_m', 0.41, 0.3, now(),"
        " now())",
        [ID],
    )
    conn.execute(
        "INSERT INTO episode_acts (episode, who, act, note)"
        " VALUES (%s, 'operator', 'shelve', '2026-11-29T19:35:13+00:00 等待泵车到场')",
        [ID],
    )
    conn.execute(
        "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
        " root_sensor, district, lon, lat, opened_at, newest_at, changed_at) VALUES ('desk-inc',"
        " 'waterlogging', 'candidate', 2, 2, %s, 'waterlogging-510107-01', '510107', 104.04, 30.63,"
        " now(), now(), now()), ('desk-city', 'pollution_episode', 'candidate', 4, 4, %s,"
        " 'waterlogging-510107-01', '510107', NULL, NULL, now(), now(), now())",
        [ID, ID],
    )
    conn.execute(
        "INSERT INTO incident_members VALUES (%s, 'desk-inc', 'trigger', false, now())", [ID]
    )
    yield ID
    conn.execute("ALTER TABLE episode_acts DISABLE TRIGGER USER")
    conn.execute("DELETE FROM episode_acts WHERE episode = %s", [ID])
    conn.execute("ALTER TABLE episode_acts ENABLE TRIGGER USER")
    conn.execute("DELETE FROM incident_members WHERE incident LIKE 'desk-%%'")
    conn.execute("DELETE FROM incidents WHERE id LIKE 'desk-%%'")
    conn.execute("DELETE FROM episodes WHERE id = %s", [ID])


def test_one_box_finds_sensors_alerts_incidents_and_streets(open_page: Opener, alert: str) -> None:
    page = open_page("/alerts")
    box = page.get_by_role("searchbox", name="查找")
    box.fill("武侯 积水")
    box.press("Enter")
    page.wait_for_url("**/search?q=*")
    expect(page.locator(".alerts tbody")).to_contain_text("武侯区道路积水 1 号")
    sensors = page.locator(".sensors tbody tr")
    expect(sensors.first).to_contain_text("I 红色")  # the worst first
    assert all("道路积水" in text for text in sensors.all_inner_texts())
    for text, kind, found in (
        ("内涝 武侯", "incidents", "城市内涝"),
        ("浆洗街", "streets", "浆洗街街道"),
        ("jinxin", "sensors", "金新路下穿隧道"),
        (ID, "alerts", "道路积水"),
    ):
        page = open_page(f"/search?q={text}")
        expect(page.locator(f".{kind} tbody tr").first).to_contain_text(found)
    page = open_page("/search?q=nothing-like-this")
    expect(page.get_by_text("没有符合的结果")).to_have_count(4)


def test_an_alert_is_headed_by_its_place_and_tells_local_time_and_incident(
    open_page: Opener, alert: str
) -> None:
    page = open_page(f"/alerts/{ID}")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "道路积水 · 武侯区道路积水 1 号（浆洗街街道）"
    )
    timeline = page.locator(".timeline tbody")
    expect(timeline).to_contain_text("暂缓 11-30 03:35:13 等待泵车到场")
    expect(timeline).not_to_contain_text("+00:00")
    link = page.locator(".glance").get_by_role("link", name="城市内涝 · 武侯区")
    expect(link).to_have_attribute("href", "/incidents/desk-inc")
    near = page.locator(".nearby tbody tr", has_text="气象").first
    expect(near).to_contain_text("气温")


def test_alerts_like_this_are_silenced_from_the_alert(open_page: Opener, alert: str) -> None:
    page = open_page(f"/alerts/{ID}")
    page.get_by_role("link", name="屏蔽此类告警").click()
    page.wait_for_url("**/silences?*")
    form = page.locator(".new")
    for text in ("武侯区", "道路积水 · 道路积水"):
        expect(form.get_by_text(text, exact=True).first).to_be_visible()
    expect(form.get_by_label("传感器")).to_have_value("waterlogging-510107-01")
    page.get_by_role("button", name="预览").click()
    expect(page.locator(".preview")).to_contain_text("将屏蔽 1 条")


@pytest.mark.parametrize("path", ["/", "/alerts?severity=1&stream=waterlogging"])
def test_on_a_phone_the_place_stands_before_the_button(
    open_page: Opener, alert: str, path: str
) -> None:
    page = open_page(path, width=390, height=844)
    line = page.locator(".alerts tbody tr, .list tbody tr", has_text="武侯区道路积水 1 号").first
    place = line.get_by_text("武侯区道路积水 1 号").locator("visible=true").bounding_box()
    button = line.get_by_role("button", name="签收").bounding_box()
    assert place and button
    assert place["x"] + place["width"] <= button["x"]
    page = open_page(f"/alerts/{ID}", width=390, height=844)
    tops = [
        page.locator(at).bounding_box() for at in ("h1", ".form-row", ".glance", ".plot", ".past")
    ]
    heights = [box["y"] for box in tops if box]
    assert heights == sorted(heights) and len(heights) == 5


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1366, 768), (1920, 1080)])
def test_the_button_lies_in_the_panel_in_english_too(
    open_page: Opener, alert: str, width: int, height: int
) -> None:
    page = open_page("/", language="en", width=width, height=height)
    button = page.locator(".alerts").get_by_role("button", name="Ack", exact=True).first
    expect(button).to_be_visible()
    inside, panel = button.bounding_box(), page.locator(".panel.alerts").bounding_box()
    assert inside and panel
    assert inside["x"] + inside["width"] <= panel["x"] + panel["width"]


def test_an_incident_has_a_level_without_colour_and_its_own_place(
    open_page: Opener, alert: str
) -> None:
    page = open_page("/incidents")
    city = page.locator(".list tbody tr", has_text="大气污染过程")
    expect(city).to_contain_text("成都市")
    expect(city).not_to_contain_text("武侯区")
    expect(city).to_contain_text("Ⅳ级响应")
    expect(page.locator(".list tbody")).not_to_contain_text("色")
    page = open_page("/incidents/desk-inc")
    expect(page.locator(".crumbs")).to_contain_text("Ⅱ级响应")
    wait_until(lambda: page.evaluate(MAP)[0] > 4, 15.0, "a map of the place")
    assert page.evaluate(MAP)[1:] == [104.04, 30.63]


def test_a_list_is_saved_for_a_spreadsheet_with_local_times_and_names(
    open_page: Opener, alert: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    page = open_page("/alerts?stream=waterlogging")
    expect(page.locator(".list tbody tr").first).to_be_visible()
    with page.expect_download() as caught:
        page.get_by_role("button", name="导出 CSV").click()
    assert caught.value.suggested_filename.startswith("告警 20")
    caught.value.save_as(tmp_path / "alerts.csv")
    raw = (tmp_path / "alerts.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel reads Chinese by its BOM"
    head, *lines = raw.decode("utf-8-sig").splitlines()
    assert head == "级别,最高级别,告警,位置,区县,数值,单位,阈值,单位,发生,持续,状态,签收人,指派"
    raised = conn.execute("SELECT raised_at FROM episodes WHERE id = %s", [ID]).fetchone()
    assert raised is not None
    at = raised[0].astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S")
    assert (
        lines[0] == f"I 红色,,道路积水,武侯区道路积水 1 号,武侯区,0.41,m,0.30,m,{at},{at},未解除,,"
    )
    with page.expect_download() as caught:
        page.get_by_role("button", name="导出 Excel").click()
    assert caught.value.suggested_filename.endswith(".xlsx")
    caught.value.save_as(tmp_path / "alerts.xlsx")
    top, first, *_ = (
        CalamineWorkbook.from_path(tmp_path / "alerts.xlsx").get_sheet_by_index(0).to_python()
    )
    assert ",".join(map(str, top)) == head, "both files have the same columns"
    assert first[5:7] == [0.41, "m"], "a number that can be added"
    assert f"{first[9]:%Y-%m-%d %H:%M:%S}" == at, "a time that can be sorted, in the city's zone"


def test_a_list_is_printed_whole_and_without_controls(open_page: Opener) -> None:
    page = open_page("/sensors?stream=traffic_flow")
    expect(page.locator(".list tbody tr").nth(70)).to_be_attached()
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.get_by_role("button", name="打印")).to_be_hidden()
    body = page.locator(".list > .body")
    assert body.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), "the paper shows all rows"


def test_a_period_is_chosen_on_the_charts(open_page: Opener) -> None:
    page = open_page(
        "/sensors/waterlogging/pond-jinxin?start=2026-11-29T02:00&end=2026-11-29T03:00"
    )
    expect(page.get_by_label("从")).to_have_value("2026-11-29T02:00")
    wait_until(lambda: page.evaluate(CHART, ".series")["from"] > 0, 15.0, "a chart")
    drawn = page.evaluate(CHART, ".series")
    hours = [datetime(2026, 11, 29, h, tzinfo=zone()).timestamp() * 1000 for h in (2, 3)]
    assert [drawn["from"], drawn["to"]] == hours


def test_bars_of_one_time_stand_on_each_other(open_page: Opener, conn: psycopg.Connection) -> None:
    """They stacked by position: with unequal sets of times, 2 late flags floated at 44."""
    conn.execute(
        "INSERT INTO qc_flags SELECT 'noise', 'noise-510104-01', now() - make_interval(mins => m),"
        " 'leq_db', test, 3, 1 FROM (VALUES ('gross', 200), ('late', 30), ('late', 200),"
        " ('rate', 100)) f (test, m) ON CONFLICT DO NOTHING"
    )
    page = open_page("/quality?hours=6")
    wait_until(lambda: len(page.evaluate(CHART, ".flags")["series"]) > 3, 15.0, "bars")
    bars = [data for kind, data in page.evaluate(CHART, ".flags")["series"] if kind == "bar"]
    times = [[at for at, _ in data] for data in bars]
    assert len(bars) >= 4
    assert all(other == times[0] == sorted(times[0]) for other in times)
