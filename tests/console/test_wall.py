"""The video wall in a real browser: one screen, big letters, pages that turn, a frozen sign."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from catalog.severity import LEVELS
from dashboards.wall import wall_rows
from tests.console.conftest import Opener, Place
from tests.support.databases import Databases

pytestmark = pytest.mark.browser
LEAST_PX = 20
"""At 1920 × 1080: about 1/400 of five metres on a wall of three metres' width."""

MEASURE = """(least) => {
  const small = [], out = [], cut = [];
  for (const e of document.querySelectorAll('.page *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest('.sr, canvas')) continue;
    if (parseFloat(getComputedStyle(e).fontSize) < least) small.push(e.textContent);
    const clips = getComputedStyle(e).overflowX !== 'visible';
    if (clips && e.scrollWidth > e.clientWidth + 1) cut.push(e.textContent);
    const tile = e.closest('.strips .tile'), box = e.getBoundingClientRect();
    if (tile && box.bottom > tile.getBoundingClientRect().bottom + 1) cut.push(e.textContent);
    if (box.right > innerWidth + 1 || box.bottom > innerHeight + 1) out.push(e.textContent);
  }
  const root = document.documentElement;
  return [[root.scrollWidth, root.scrollHeight], small, out, cut];
}"""


SIGN_EVERY_NUMBER = """(signs) => {
  for (const row of document.querySelectorAll('.strip .vitals')) {
    while (row.children.length < 8) row.append(row.firstElementChild.cloneNode(true));
  }
  [...document.querySelectorAll('.wall-page .vitals .value')].forEach((e, n) => {
    e.querySelector('i')?.remove();
    e.insertAdjacentHTML('afterbegin', `<i aria-hidden="true">${signs[n % signs.length]}</i>`);
  });
}"""
"""As if each number were past a declared limit, each level in turn, in rows of eight streams."""


def open_wall(open_page: Opener, query: str = "seconds=0", **more: int | str) -> Page:
    page = open_page(f"/wall?{query}", **{"width": 1920, "height": 1080, **more})
    expect(page.locator(".strips .tile, .cell .tile").locator("visible=true").first).to_be_visible()
    return page


@pytest.mark.parametrize(("language", "scale"), [("zh", 1), ("zh", 2), ("en", 1)])
def test_every_page_fits_one_screen_in_letters_readable_from_afar(
    open_page: Opener, conn: psycopg.Connection, language: str, scale: int
) -> None:
    page = open_wall(open_page, language=language, width=1920 * scale, height=1080 * scale)
    names = page.locator("[data-page]").evaluate_all("all => all.map((e) => e.dataset.page)")
    assert names[0] == "city"
    for name in names:
        expect(page.locator(f".wall-page.{name}")).to_be_visible()
        found = page.evaluate(MEASURE, LEAST_PX * scale)
        assert found == [[1920 * scale, 1080 * scale], [], [], []], name
        page.keyboard.press("ArrowRight")
    for name in names:
        expect(page.locator(f".wall-page.{name}")).to_be_visible()
        page.evaluate(SIGN_EVERY_NUMBER, [level.icon for level in LEVELS.values()])
        _, small, _, _ = page.evaluate(MEASURE, LEAST_PX * scale)
        assert small == [], f"signs of {name}"
        page.keyboard.press("ArrowRight")


def test_it_says_what_grafanas_wall_says(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_wall(open_page)
    shown = page.locator(".strips .title").all_inner_texts()
    vitals = [vital for line in wall_rows() for vital in line.vitals]
    signs = conn.execute("SELECT value, decimals FROM dash.vital_signs()").fetchall()
    assert len(shown) == len(vitals)
    for title, vital in zip(shown, vitals, strict=True):
        assert title.startswith(vital.stream.title.zh) or vital.stream.title.zh in title
    texts = page.locator(".strips .value").all_inner_texts()
    for text, (value, decimals) in zip(texts, signs, strict=True):
        assert (f"{value:.{decimals}f}" if value is not None else "–") in text
    open_now = conn.execute(
        "SELECT count(*) FILTER (WHERE severity = n) FROM generate_series(1, 4) n,"
        " dash.active_alerts(1000) GROUP BY n ORDER BY n"
    ).fetchall()
    heads = page.locator(".figures .value").all_inner_texts()[:4]
    assert [int(text) for text in heads] == [count for (count,) in open_now]
    long_enough = [vital for vital in vitals if vital.stream.cadence_s < 900]  # of half an hour
    assert page.locator(".strips .spark path[d^='M']").count() >= len(long_enough) > 15


def test_a_number_past_its_declared_limit_is_marked(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    with waiting(conn, "waterlogging"):
        conn.execute("UPDATE last_waterlogging SET depth_m = 0.01, observed_at = now()")
        conn.execute("UPDATE last_waterlogging SET depth_m = 0.28 WHERE sensor = 'pond-jinxin'")
        page = open_wall(open_page)
        tile = page.locator(".strips li", has_text="积水深度")
        expect(tile.locator(".value")).to_have_class("value over-orange")
        expect(tile.locator(".value")).to_contain_text("▲0.28")
        expect(tile.locator(".of")).to_have_text("金新路下穿隧道")
        conn.execute("UPDATE last_waterlogging SET depth_m = 0 WHERE sensor = 'pond-jinxin'")
        expect(tile.locator(".value")).to_have_class("value")


def test_the_number_is_of_the_alert_that_colours_the_tile(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    """Rain coloured the temperature: "5.7 °C, orange, 21 alerts" says that 5.7 °C is orange."""
    with waiting(conn, "weather"):
        page = open_wall(open_page)
        tile = page.locator(".strips li", has_text="气象")
        expect(tile.locator(".title")).to_have_text("气象 1 小时雨量")
        place = tile.bounding_box()
        conn.execute("UPDATE last_weather SET wind_m_s = 3")
        conn.execute("UPDATE last_weather SET wind_m_s = 25.5 WHERE sensor = 'weather-510108-02'")
        conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, changed_at) VALUES ('gale-1', 'weather.gale',"
            " 'weather', 'weather-510108-02', 'active', 2, 2, 'wind_m_s', 24.6, 24.5, now(), now())"
        )
        expect(tile.locator(".title")).to_have_text("气象 风速")
        expect(tile.locator(".value")).to_contain_text("25.5")  # now, not when it was raised
        expect(tile.locator(".of")).to_have_text("成华区 2 号")
        expect(tile).to_have_class("mark-orange")
        ground = tile.locator(".tile").evaluate("e => getComputedStyle(e).backgroundColor")
        calm = page.locator(".figures .mark-normal .tile").first
        assert ground != calm.evaluate("e => getComputedStyle(e).backgroundColor")
        assert tile.bounding_box() == place, "a tile that moves is not found"
        conn.execute("DELETE FROM episodes WHERE id = 'gale-1'")


@contextmanager
def waiting(conn: psycopg.Connection, stream: str) -> Iterator[None]:
    """Let none of the stream's alerts that are open for all tests stand meanwhile."""
    over = "UPDATE episodes SET cleared_at = {} WHERE stream = %s AND id LIKE '%%-0'"
    conn.execute(over.format("now()").encode(), [stream])
    try:
        yield
    finally:
        conn.execute(over.format("NULL").encode(), [stream])


def test_open_incidents_and_who_has_acknowledged_are_seen(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    with conn.transaction():
        conn.execute(
            "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
            " root_sensor, district, lon, lat, opened_at, newest_at, changed_at, confirmed_at)"
            " SELECT 'wall-' || n, 'waterlogging', 'confirmed', n, n, (SELECT min(id) FROM"
            " episodes), 'pond-jinxin', '510105', 104.05, 30.66, now() - interval '9 minutes',"
            " now(), now(),"
            " CASE n WHEN 1 THEN NULL ELSE now() END FROM generate_series(1, 3) n"
        )
        conn.execute(
            "UPDATE episodes SET acked_at = now(), acked_by = 'li'"
            " WHERE cleared_at IS NULL AND severity = 1 AND stream = 'air_quality'"
        )
    try:
        page = open_wall(open_page)
        rows = page.locator(".wall-page.city .wall-incidents tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("Ⅰ级响应")
        expect(rows.first).to_contain_text("（待核实）")
        expect(page.locator(".wall-page.city .wall-incidents .more")).to_have_text("另有 1 条")
        alerts = page.locator(".wall-page.city .wall-alerts")
        expect(alerts.locator("td", has_text="✓ 空气质量指数超标")).to_have_count(1)
        expect(alerts.locator(".more")).to_contain_text("✓ = 已签收")
        found = page.evaluate(MEASURE, LEAST_PX)
        assert found == [[1920, 1080], [], [], []]
        place = page.locator(".wall-page.city .wall-incidents")
        box, more = place.bounding_box(), place.locator(".more").bounding_box()
        assert box is not None and more is not None
        assert more["y"] + more["height"] <= box["y"] + box["height"] + 1  # not cut off
        map_box = page.locator(".wall-page.city .wall-map").bounding_box()
        assert map_box is not None and map_box["height"] > 300
    finally:
        conn.execute("DELETE FROM incidents WHERE id LIKE 'wall-%'")
        conn.execute("UPDATE episodes SET acked_at = NULL, acked_by = NULL WHERE acked_by = 'li'")


def test_pages_turn_by_themselves_and_stop_on_demand(
    open_page: Opener, conn: psycopg.Connection
) -> None:
    page = open_wall(open_page, "seconds=1&page=traffic")
    after = page.locator("[data-page]").evaluate_all("all => all.map((e) => e.dataset.page)")
    begin = after.index("traffic")
    for name in [*after[begin + 1 :], *after[:begin]]:
        expect(page.locator(f".wall-page.{name}")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator(".pause")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".rotation .left")).to_have_count(0)
    page.get_by_role("button", name="水务防汛").click()
    expect(page.locator(".wall-page:not([hidden])")).to_have_count(1)
    expect(page.locator(".wall-page.water .chart canvas").first).to_be_visible()


def test_data_that_stops_is_shown_as_frozen(open_page: Opener, conn: psycopg.Connection) -> None:
    page = open_wall(open_page)
    expect(page.locator(".frozen")).to_have_count(0)
    conn.execute(
        "UPDATE sensor_last SET received_at = now() - interval '10 minutes',"
        " observed_at = least(observed_at, now() - interval '10 minutes')"
    )
    sign = page.locator(".frozen")
    expect(sign).to_contain_text("没有新数据到达")
    expect(sign).to_contain_text("停在 20")
    box = sign.bounding_box()
    assert box is not None
    assert box["width"] == 1920
    conn.execute(
        "UPDATE sensor_last SET received_at = now(), observed_at = now()"
        " WHERE observed_at > now() - interval '12 hours'"
    )
    expect(sign).to_have_count(0)


@contextmanager
def cut_off(databases: Databases, dsn: str) -> Iterator[None]:
    """Let nobody into the database for a while."""
    name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
    with psycopg.connect(databases.server, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [conninfo_to_dict(dsn)["dbname"]],
            )
            yield
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_a_database_that_is_away_is_shown_as_frozen(
    open_page: Opener, place: Place, databases: Databases
) -> None:
    page = open_wall(open_page)
    with cut_off(databases, place.dsn):
        expect(page.locator(".frozen")).to_contain_text("数据库无响应")
    expect(page.locator(".frozen", has_text="数据库无响应")).to_have_count(0)


def test_a_wall_opened_while_the_database_is_away_finds_the_city_by_itself(
    chromium: BrowserContext, place: Place, sessions: dict[str, str], databases: Databases
) -> None:
    chromium.add_cookies(
        [{"name": "cityops_session", "value": sessions["viewer"], "url": place.url}]
    )
    page = chromium.new_page()
    try:
        with cut_off(databases, place.dsn):
            answer = page.goto(f"{place.url}/wall?seconds=0")
            assert answer is not None and answer.status == 503
            expect(page.get_by_role("alert")).to_contain_text("数据库无响应")
        expect(page.locator(".wall-page.city")).to_be_visible(timeout=30_000)
    finally:
        page.close()


def test_a_connection_that_is_cut_is_shown_as_frozen(
    open_page: Opener, place: Place, conn: psycopg.Connection
) -> None:
    page = open_wall(open_page)
    os.kill(place.process.pid, signal.SIGSTOP)
    try:
        expect(page.locator(".frozen")).to_contain_text("与服务器的连接中断", timeout=20_000)
        expect(page.locator(".wall-page.city")).to_have_css("opacity", "0.35")
    finally:
        os.kill(place.process.pid, signal.SIGCONT)
    expect(page.locator(".frozen")).to_have_count(0, timeout=20_000)
