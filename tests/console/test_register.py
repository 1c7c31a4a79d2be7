"""Sensors that nobody declared are seen, placed and taken out of service, by page and by API."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from storage.api_keys import add_key
from tests.console.conftest import Opener, Place, ok

pytestmark = pytest.mark.browser
STRAY = "waterlogging_510104-01"
PLACING = {
    "title_zh": "锦江区燃气泵站积水",
    "title_en": "Jinjiang pump ponding",
    "district": "510104",
    "street": "春熙路街道",
    "lon": 104.08,
    "lat": 30.655,
}


@pytest.fixture
def stray(conn: psycopg.Connection) -> Iterator[str]:
    """A sensor whose id is off by one character, with a red alert: in no district, on no map."""
    conn.execute(
        "INSERT INTO sensors (stream, sensor, status) VALUES ('waterlogging', %s, 'provisional')",
        [STRAY],
    )
    conn.execute(
        "INSERT INTO last_waterlogging (sensor, observed_at, received_at, depth_m)"
        " VALUES (%s, now(), now(), 0.51)",
        [STRAY],
    )
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES ('stray-1', 'waterlogging.ponding',"
        " 'waterlogging', %s, 'active', 1, 1, 'depth_m', 0.51, 0.3, now(), now())",
        [STRAY],
    )
    yield STRAY
    conn.execute("DELETE FROM episodes WHERE id = 'stray-1'")
    conn.execute("DELETE FROM last_waterlogging WHERE sensor = %s", [STRAY])
    conn.execute("DELETE FROM sensors WHERE sensor IN (%s, 'page-new-1')", [STRAY])
    conn.execute("DELETE FROM silences")


def test_a_stray_sensor_is_told_of_listed_and_placed(
    open_page: Opener, conn: psycopg.Connection, stray: str
) -> None:
    page = open_page("/")
    expect(page.locator(".alerts tbody")).to_contain_text(f"{STRAY}（位置未登记）")
    page.get_by_role("link", name="1 个传感器未登记位置").click()
    page.wait_for_url("**/sensors?registered=provisional")
    row = page.locator(".list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("? 未登记")
    row.get_by_role("link", name=STRAY).click()
    page.wait_for_url(f"**/sensors/waterlogging/{STRAY}")
    page.locator("summary", has_text="位置与登记").click()
    form = page.locator("details.register")
    form.get_by_label("中文名称").fill("锦江区燃气泵站积水")
    form.get_by_label("街道").fill("春熙路街道")
    form.get_by_label("经度").fill("30.655")
    form.get_by_label("纬度").fill("104.08")
    form.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("纬度: 不能大于 90")).to_be_visible()
    form.get_by_label("经度").fill("30.655")
    form.get_by_label("纬度").fill("10.08")
    form.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("位置距该区县超过 100 公里")).to_be_visible()
    form.get_by_label("经度").fill("104.08")
    form.get_by_label("纬度").fill("30.655")
    form.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("锦江区燃气泵站积水")
    expect(page.locator(".glance").first).to_contain_text("锦江区")
    where = conn.execute(
        "SELECT red FROM dash.district_states() WHERE district = '510104'"
    ).fetchone()
    assert where is not None and where[0] >= 1, "its red alert counts in its district"
    audited = conn.execute(
        "SELECT who FROM audit WHERE what = 'sensor.register' AND target = %s",
        [f"waterlogging/{STRAY}"],
    ).fetchall()
    assert audited == [("operator",)]


def test_a_sensor_is_taken_out_of_service_and_put_back(
    open_page: Opener, conn: psycopg.Connection, stray: str
) -> None:
    page = open_page(f"/sensors/waterlogging/{STRAY}")
    page.locator("summary", has_text="位置与登记").click()
    form = page.locator("details.register")
    form.get_by_role("button", name="停用").click()
    expect(page.get_by_text("停用原因").first).to_be_visible()
    form.get_by_placeholder("停用原因").fill("设备更换")
    form.get_by_role("button", name="停用").click()
    expect(page.locator(".glance").first).to_contain_text("✕ 停用")
    muted = conn.execute("SELECT reason, ends_at > now() FROM silences").fetchall()
    assert muted == [("设备更换", True)]
    page.goto(page.url.partition("/sensors")[0] + "/sensors?registered=retired")
    expect(page.locator(".list tbody tr")).to_contain_text(STRAY)
    page.goto(page.url.partition("/sensors")[0] + f"/sensors/waterlogging/{STRAY}")
    page.locator("summary", has_text="位置与登记").click()
    page.get_by_role("button", name="恢复使用").click()
    expect(page.locator(".glance").first).to_contain_text("? 未登记")
    assert conn.execute("SELECT count(*) FROM silences WHERE ends_at > now()").fetchone() == (0,)


def test_a_new_sensor_is_registered_before_it_sends(
    open_page: Opener, conn: psycopg.Connection, stray: str
) -> None:
    page = open_page("/sensors?stream=waterlogging")
    page.locator("summary", has_text="登记传感器").click()
    form = page.locator("details.new")
    form.get_by_label("监测类别").click()
    page.locator(".q-menu").get_by_role("option", name="道路积水").click()
    form.get_by_label("编号").fill("page-new-1")
    form.get_by_label("中文名称").fill("新测点")
    form.get_by_label("经度").fill("104.08")
    form.get_by_label("纬度").fill("30.655")
    form.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator(".list tbody tr", has_text="新测点")).to_contain_text("从未上报")


def test_a_span_is_set_and_ended_on_the_page_of_its_sensor(
    open_page: Opener, conn: psycopg.Connection, stray: str
) -> None:
    page = open_page(f"/sensors/waterlogging/{STRAY}")
    panel = page.locator(".spans")
    expect(panel).to_contain_text("无，按数据定义判断")
    panel.get_by_label("合理下限").fill("0")
    panel.get_by_label("合理上限").fill("9")
    panel.get_by_label("原因").fill("下穿隧道更深")
    panel.get_by_role("button", name="设定", exact=True).click()
    expect(page.get_by_text("且在仪器量程").first).to_be_visible()
    panel.get_by_label("合理上限").fill("4.5")
    panel.get_by_label("原因").fill("下穿隧道更深")
    panel.get_by_role("button", name="设定", exact=True).click()
    row = page.locator(".spans tbody tr")
    expect(row).to_contain_text("0 … 4.5 m")
    expect(row).to_contain_text("下穿隧道更深")
    panel.get_by_label("原因").fill("换了探头")
    panel.get_by_role("button", name="撤销设定").click()
    expect(page.locator(".spans")).to_contain_text("无，按数据定义判断")
    assert conn.execute(
        "SELECT who, what, detail->>'reason' FROM audit WHERE target = %s ORDER BY seq",
        [f"waterlogging/{STRAY}/depth_m"],
    ).fetchall() == [
        ("operator", "sensor.override", "下穿隧道更深"),
        ("operator", "sensor.override_end", "换了探头"),
    ]


def test_the_api_sets_and_ends_spans(
    place: Place, api: httpx.Client, conn: psycopg.Connection, stray: str
) -> None:
    at = f"/sensors/waterlogging/{STRAY}/overrides"
    wish = {"span": [0.0, 3.0], "floor": 0.01, "reason": "a shallow one"}
    assert api.put(f"{at}/depth_m", json=wish).status_code == 403, "a viewer sets nothing"
    key = add_key(conn, "override tests", ["api:operator"])
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{place.url}/api/v1", headers=headers, timeout=30) as operator:
        for wrong in ({"span": [3.0, 0.0]}, {"reason": ""}, {"until": "2020-01-01T00:00:00Z"}):
            assert operator.put(f"{at}/depth_m", json=wish | wrong).status_code == 422, wrong
        assert operator.put(f"{at}/speed", json=wish).status_code == 422
        nobody = at.replace(STRAY, "no-such")
        assert operator.put(f"{nobody}/depth_m", json=wish).status_code == 404
        assert operator.put(f"{at}/depth_m", json=wish).status_code == 200
        (held,) = operator.get(at).json()
        told = {name: held[name] for name in ("metric", "span_low", "span_high", "floor", "reason")}
        assert told == {
            **{"metric": "depth_m", "span_low": 0.0, "span_high": 3.0},
            **{"floor": 0.01, "reason": "a shallow one"},
        }
        why = {"reason": "replaced"}
        assert operator.post(f"{at}/depth_m/end", json=why).status_code == 200
        assert operator.post(f"{at}/depth_m/end", json=why).status_code == 409
        assert operator.get(at).json() == []
        past = operator.get(at, params={"ended": True}).json()
        assert [row["reason"] for row in past[:2]] == ["replaced", "a shallow one"]


def test_the_api_registers_retires_and_restores(
    place: Place, api: httpx.Client, conn: psycopg.Connection, stray: str
) -> None:
    found = ok(api.get("/sensors", params={"status": "provisional"}))["sensors"]
    assert [(s["sensor"], s["status"], s["lon"]) for s in found] == [(STRAY, "provisional", None)]
    at = f"/sensors/waterlogging/{STRAY}"
    assert api.put(at, json=PLACING).status_code == 403, "a viewer's key places nothing"
    key = add_key(conn, "register tests", ["api:operator"])
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{place.url}/api/v1", headers=headers, timeout=30) as operator:
        for wrong in ({"district": "999999"}, {"lon": 30.6, "lat": 10.0}, {"title_zh": ""}):
            assert operator.put(at, json=PLACING | wrong).status_code == 422, wrong
        assert operator.put("/sensors/waterlogging/a b", json=PLACING).status_code == 422
        assert operator.put(at, json=PLACING).status_code == 204
        known = ok(operator.get(at))
        assert {name: known[name] for name in PLACING} == PLACING
        assert known["status"] == "registered"
        declared = operator.put("/sensors/waterlogging/pond-jinxin", json=PLACING)
        assert declared.status_code == 409
        assert operator.post(f"{at}/retire", json={"reason": ""}).status_code == 422
        assert operator.post(f"{at}/retire", json={"reason": "设备更换"}).status_code == 204
        assert ok(operator.get(at))["status"] == "retired"
        listed = ok(operator.get("/sensors", params={"stream": "waterlogging"}))["sensors"]
        assert STRAY not in {s["sensor"] for s in listed}
        assert operator.post(f"{at}/restore").status_code == 204
        assert ok(operator.get(at))["status"] == "registered"
        nobody = operator.post("/sensors/waterlogging/no-such/retire", json={"reason": "x"})
        assert nobody.status_code == 404
