"""Records in a real browser: the board by state with arrow keys, several moved at once."""

import psycopg
import pytest
from playwright.sync_api import expect

from records.act import open_record
from records.context import Context
from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
PLACE = {"source": "hotline", "lon": 104.066, "lat": 30.657}


@pytest.fixture
def cases(conn: psycopg.Connection) -> list[int]:
    staff = Context(conn, "operator", "page", "operator")
    return [open_record(staff, "case", {**PLACE, "subclass": "E0101"}).id for _ in range(3)]


@pytest.mark.parametrize("width", [1366, 390])
def test_a_board_has_a_column_a_state_and_is_walked_by_arrows(
    open_page: Opener, cases: list[int], width: int
) -> None:
    page = open_page("/boards/case", width=width, height=844)
    first = page.locator(".lane").first
    expect(first.locator("h3")).to_contain_text("待受理")
    expect(first.locator(f"a[href='/records/case/case-{cases[0]}']")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cards = first.locator(".card")
    cards.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(cards.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/case/case-*")


def test_several_take_a_step_and_who_cannot_says_why(
    open_page: Opener, conn: psycopg.Connection, cases: list[int]
) -> None:
    page = open_page("/records/case?state=reported")
    form = page.locator("details.bulk")
    form.locator("summary").click()
    form.get_by_role("button", name="派发核实").click()
    expect(page.get_by_text("请先在列表中勾选")).to_be_visible()
    for case in cases:
        page.get_by_role("checkbox", name=f"case-{case}", exact=True).check()
    expect(form.locator(".count")).to_have_text("已选 3 件")
    conn.execute("UPDATE records SET state = 'filed' WHERE id = %s", [cases[2]])
    form.get_by_role("button", name="派发核实").click()
    expect(page.get_by_text("已办理 2 件")).to_be_visible()
    rows = conn.execute(
        "SELECT state FROM records WHERE id = ANY(%s) ORDER BY id", [cases]
    ).fetchall()
    assert [state for (state,) in rows] == ["verifying", "verifying", "filed"]
    conn.execute("UPDATE records SET state = 'reported' WHERE id = %s", [cases[2]])


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cf"
    "c0000003010100c9fe92ef0000000049454e44ae426082"
)


def test_a_patrol_reports_on_the_phone_with_photo_and_position(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    page = open_page("/open/case", width=390, height=844)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 104.0661234, "latitude": 30.6575, "accuracy": 8})
    form = page.locator(".new")
    form.get_by_role("button", name="使用当前位置").click()
    expect(form.get_by_text("精度约 8 米")).to_be_visible()
    expect(form.get_by_label("经度")).to_have_value("104.066123")
    form.locator("input[type=file]").first.set_input_files(
        [{"name": "路灯.png", "mimeType": "image/png", "buffer": PIXEL}]
    )
    expect(form.locator(".photos li")).to_contain_text("路灯.png")
    for label, choice in (("小类", "路灯"), ("来源", "信息采集员")):
        form.get_by_label(label).click()
        page.get_by_role("option", name=choice, exact=True).click()
    form.get_by_label("问题描述").fill("灯不亮")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    form.get_by_role("button", name="上报").click()
    expect(page.get_by_text("已办理")).to_be_visible()
    expect(form.locator(".photos li")).to_have_count(0)
    row = conn.execute(
        "SELECT r.id, r.lon, r.district, a.content_type FROM records r JOIN record_attachments a"
        " ON a.record = r.id WHERE r.kind = 'case' AND r.fields ->> 'description' = '灯不亮'"
    ).fetchone()
    assert row is not None and row[1:] == (104.066123, "510105", "image/jpeg")
    page.context.clear_permissions()
