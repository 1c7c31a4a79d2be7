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
