"""Every page in both languages, at a desk and on a phone, by keyboard: one walk over all of them.

The list of pages is that of the console, so a new page is walked over, or this says that it is not.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect
from pydantic import BaseModel

from catalog.incident import incident_kinds
from catalog.lifecycle.registry import records
from catalog.model import Text
from catalog.registry import streams, systems
from catalog.sensors import sensors_of
from catalog.severity import LEVELS, STATES
from catalog.site import site
from catalog.thing.registry import placed, things
from console.pages import all_pages
from console.texts import catalogue
from records.act import act, open_record
from records.context import Context
from records.things.loop import place_all, watch
from tests.console.conftest import Opener

pytestmark = pytest.mark.browser
WALK = Path(__file__).with_name("walk.js").read_text()
PATHS = {
    "/alerts/{episode}": "/alerts/waterlogging.ponding-0",
    "/incidents/{incident}": "/incidents/walk-inc",
    "/sensors/{stream}/{sensor}": "/sensors/waterlogging/pond-dongchenggen",
    "/streams/{stream}": "/streams/waterlogging",
    "/receivers/{name}": "/receivers/walk-duty",
    "/rules/{rule}": "/rules/waterlogging.ponding",
    "/records/{kind}": "/records/case",
    "/boards/{kind}": "/boards/case",
    "/open/{kind}": "/open/case",
    "/things/{kind}": "/things/lamp",
    "/things/{kind}/{id}": "/things/lamp/renmin-south-003",
    "/records/{kind}/{id}": "/records/case/case-{case}",
}
SQUARE = {"lon": 104.066, "lat": 30.657}
STRIDE = 10
MOST_STOPS = 60
"""A list of a thousand sensors is not tabbed through to its end."""
CJK = re.compile(r"[\u3400-\u9fff]")
NAMES = {"admin", "operator", "viewer", "cityops JSON"}
"""Names of users and formats, which are also words of ours."""


@pytest.fixture
def filled(conn: psycopg.Connection) -> Iterator[int]:
    """One of each thing that a page shows; what people write in it has no language."""
    conn.execute(
        "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
        " root_sensor, district, opened_at, newest_at, changed_at) SELECT 'walk-inc', stream,"
        " 'candidate', 2, 2, id, sensor, '510105', raised_at, raised_at, raised_at FROM episodes"
        " WHERE id = 'waterlogging.ponding-0'"
    )
    conn.execute(
        "INSERT INTO incident_members SELECT id, 'walk-inc', 'trigger', false, now() FROM episodes"
        " WHERE id = 'waterlogging.ponding-0'"
    )
    conn.execute(
        "INSERT INTO incident_acts (incident, who, act) SELECT 'walk-inc', 'cityops', act"
        " FROM unnest(ARRAY['opened', 'confirmed', 'changed', 'reopened']) act"
    )
    place_all(conn)
    watch(conn)
    staff = Context(conn, "admin", "page", "admin")
    case = open_record(staff, "case", {"subclass": "E0101", "source": "hotline"} | SQUARE).id
    act(staff, "case", case, "file")
    act(staff, "case", case, "dispatch", {"department": "sanitation"})
    conn.execute(
        "INSERT INTO receivers (name, url, secret, channel) VALUES"
        " ('walk-duty', 'https://duty.example/hook', 'x', 'actual'),"
        " ('walk-drill', 'https://drill.example/hook', 'x', 'exercise')"
    )
    conn.execute(
        "INSERT INTO outbox (id, receiver, receiver_seq, kind, headline, body, attempts, failed_at,"
        " last_error) SELECT 'walk-msg', id, 1, 'raised', '1', '{}', 12, now(), 'HTTP 500'"
        " FROM receivers WHERE name = 'walk-duty'"
    )
    drill = open_record(staff, "drill", {"title": "1", "instruction": "1"}).id
    conn.execute(
        "INSERT INTO silences (kind, matchers, author, reason, starts_at, ends_at) VALUES"
        """ ('silence', '[{"name": "stream", "op": "=", "value": "x"}]', 'operator', '1',"""
        " now(), now() + interval '1 hour')"
    )
    conn.execute(
        "INSERT INTO dead_letters (id, at, stream, stage, code, reason)"
        " VALUES ('walk-letter', now(), 'noise', 'storing', 'conflict', '1')"
    )
    yield case
    conn.execute("ALTER TABLE incident_acts DISABLE TRIGGER USER")
    for table in ("incident_acts", "incident_members"):
        conn.execute(f"DELETE FROM {table} WHERE incident = 'walk-inc'".encode())
    conn.execute("ALTER TABLE incident_acts ENABLE TRIGGER USER")
    conn.execute("DELETE FROM incidents WHERE id = 'walk-inc'")
    act(staff, "drill", drill, "cancel", reason="called_off")
    conn.execute('DELETE FROM silences WHERE matchers @> \'[{"value": "x"}]\'')
    conn.execute("DELETE FROM dead_letters WHERE id = 'walk-letter'")
    conn.execute("DELETE FROM receivers WHERE name LIKE 'walk-%%'")


@pytest.fixture
def written(conn: psycopg.Connection) -> str:
    """What people wrote in other tests, which has no language either."""
    found = conn.execute(
        "SELECT string_agg(text, E'\\n') FROM (SELECT detail::text FROM audit"
        " UNION ALL SELECT value FROM records, jsonb_each_text(fields)"
        " UNION ALL SELECT text FROM console_report_notes) AS written (text)"
    ).fetchone()
    return str(found[0] or "").replace("\\n", "\n") if found else ""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/login", *(page.path for page in all_pages())])
def test_a_page_fits_speaks_one_language_and_is_used_by_keyboard(
    open_page: Opener, filled: int, written: str, path: str, language: str
) -> None:
    known = PATHS.get(path, path).format(case=filled)
    page = open_page(known, role="admin", language=language)
    expect(page.locator(".page, .login")).to_be_visible()
    expect(page.locator(".empty:visible", has_text=re.compile("^…$"))).to_have_count(0)
    if path != "/login":
        expect(page.locator("body[data-rung]")).to_be_attached()  # the page is live
    page.evaluate(WALK)
    assert page.evaluate("walk.overflow()") == []
    labels = {ours(label, written) for label in page.evaluate("walk.labels()")}
    assert strangers({page.title(), *labels}, language) == set()
    stops = page.evaluate("walk.stops()")
    assert [stop["html"] for stop in stops if not stop["name"]] == [], "a control without a name"
    if language == "zh":  # keys know no language
        walk_by_keyboard(page, stops)
    if path != "/wall":  # a screen on a wall, never a phone
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("walk.overflow()") == []


def ours(label: str, written: str) -> str:
    """Return a label without what people wrote: ``备注 泵车已到``, ``Street lamp · 灯不亮``."""

    def theirs(part: str) -> bool:
        rest = part.partition(" ")[2]
        return part in written or (rest != "" and rest in written)

    return " · ".join(part for part in label.split(" · ") if not theirs(part))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_head_that_is_frozen_covers_and_cuts_nothing(
    open_page: Opener, conn: psycopg.Connection, language: str
) -> None:
    conn.execute("UPDATE sensor_last SET received_at = now() - interval '1 hour'")
    page = open_page("/receivers", role="admin", language=language)
    expect(page.locator(".frozen")).to_be_visible()
    page.evaluate(WALK)
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("walk.overflow()") == []
        boxes = [page.locator(part).first.bounding_box() for part in (".frozen", ".panel")]
        assert boxes[0] and boxes[1] and boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]


def strangers(labels: set[str], language: str) -> set[str]:
    """Return the texts that are of the other language; streets have Chinese names only."""
    if language == "zh":
        return labels & english()
    streets = {s.street for stream in streams() for s in sensors_of(stream)}
    return {t for t in labels if CJK.search(t) and not any(street in t for street in streets)}


@cache
def english() -> set[str]:
    """Return every English text that has another one in Chinese."""
    ours = [(t["zh"], t["en"]) for t in catalogue().values()]
    declared = [streams(), systems(), site().districts, LEVELS, STATES, incident_kinds(), records()]
    declared += [things(), *(list(placed(kind)) for kind in things())]
    ours += [(t.zh, t.en) for thing in declared for t in texts_in(thing)]
    return {en for zh, en in ours if zh != en and re.search(r"[a-z]{2}", en)} - NAMES


def texts_in(thing: Any) -> Iterator[Text]:
    """Yield every text of a declaration."""
    if isinstance(thing, Text):
        yield thing
    elif isinstance(thing, BaseModel):
        for _, part in thing:
            yield from texts_in(part)
    elif isinstance(thing, dict | list | tuple):
        for part in thing.values() if isinstance(thing, dict) else thing:
            yield from texts_in(part)


def walk_by_keyboard(page: Tab, stops: list[dict[str, Any]]) -> None:
    """Press Tab until every control was met, each with a focus that is seen.

    A part of the page that was drawn anew meanwhile is looked for again.
    """
    missed: dict[str, str] = {}
    for _ in range(3):
        page.evaluate("document.activeElement.blur()")
        missed = {stop["id"]: stop["html"] for stop in stops[:MOST_STOPS]}
        for _ in range(2 * MOST_STOPS // STRIDE):
            for _ in range(STRIDE):
                page.keyboard.press("Tab")
            met = page.evaluate("walk.met()")
            missed = {stop: html for stop, html in missed.items() if stop not in ids(met)}
            if not missed:
                assert [at["html"] for at in met if not at["seen"]] == [], "nobody sees the focus"
                return
        stops = page.evaluate("walk.stops()")
    raise AssertionError(f"never met: {list(missed.values())}")


def ids(met: list[dict[str, Any]]) -> set[str]:
    return {at["id"] for at in met}
