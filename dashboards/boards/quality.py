"""Data quality: can the data itself be trusted?"""

from catalog.model import Severity
from catalog.severity import LEVELS
from dashboards.boards import parts
from dashboards.looks import PLAIN, level_mapping
from dashboards.page import At, Page, drill, uid
from dashboards.panels import (
    DURATION,
    coloured,
    lines,
    linked,
    number,
    prop,
    table,
    threshold_props,
    time_column,
    width,
)
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, say
from storage.views.limits import COMPLETE_PCT


def quality_page(lang: Lang) -> Page:
    """Return the page in one language."""
    page = Page(
        lang,
        kind="quality",
        title=say("quality", lang),
        question=say("quality.q", lang),
        refresh="1m",
        tags=("l1", "tools"),
        parent="wall",
    )
    _complete(page)
    parts.freshness(page, At(13, 0, 11, 11))
    _flags(page, "flags", "test", At(0, 11, 12, 8))
    _flags(page, "flags_stream", "stream", At(12, 11, 12, 8))
    _silent(page)
    _letters(page)
    return page


def _complete(page: Page) -> None:
    lang = page.lang
    low = [(None, LEVELS[Severity.ORANGE].colour), (COMPLETE_PCT, PLAIN[0][1])]
    share = [*number("percent", 1), *threshold_props(low), prop("custom.width", 100)]
    share.append(prop("custom.cellOptions", {"type": "color-text"}))
    sql = f"""
        SELECT c.title_{lang} AS {name(page.say("c.stream"))}, c.sensors AS
               {name(page.say("c.sensors"))}, c.expected AS {name(page.say("c.expected"))},
               c.received AS {name(page.say("c.received"))}, c.complete_pct AS
               {name(page.say("c.complete"))}, c.good_pct AS {name(page.say("c.good"))}, p.page
        FROM dash.completeness({RANGE}) c LEFT JOIN {parts.stream_pages(lang)}
             ON p.stream = c.stream
        ORDER BY c.complete_pct, c.stream LIMIT 200"""
    panel = table(
        {
            page.say("c.stream"): linked(parts.to_page(page)),
            page.say("c.sensors"): [*number("none", 0), width(80)],
            page.say("c.expected"): [*number("short", 1), width(90)],
            page.say("c.received"): [*number("short", 1), width(90)],
            page.say("c.complete"): list(share),
            page.say("c.good"): list(share),
        },
        hidden=("page",),
    )
    page.add("complete", panel, At(0, 0, 13, 11), rows(sql))


def _flags(page: Page, key: str, by: str, at: At) -> None:
    down = drill(page.say("sensor"), uid("sensor", "", page.lang))
    panel = lines(unit="none", decimals=0, bars=True, stacked=True)
    for test in ("gross", "spike", "rate", "flat", "late", "missing"):
        panel.override_by_name(test, [prop("displayName", page.say(f"t.{test}"))])
    sql = f"""
        SELECT f."time", f.label AS metric, f.value
        FROM dash.flag_counts({RANGE}, {STEP}, {literal(by)}, NULL, {literal(page.lang)}) f
        ORDER BY f."time", f.label LIMIT 20000"""
    about, act = page.say("flags.d"), page.say("flags.a")
    page.add(key, panel, at, series(sql), about=about, act=act, min_step="1m", points=60, to=[down])


def _silent(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT t.level AS {name(page.say("c.state"))}, s.title_{lang} AS
               {name(page.say("c.sensor"))}, d.title_{lang} AS {name(page.say("c.district"))},
               s.age_s AS {name(page.say("c.age"))}, s.stream, s.sensor
        FROM dash.silent_sensors(200) s JOIN dash.states t ON t.state = s.freshness
        LEFT JOIN dash.districts d ON d.district = s.district
        ORDER BY s.age_s NULLS LAST, s.sensor LIMIT 200"""
    panel = table(
        {
            page.say("c.state"): [*coloured(level_mapping(lang)), width(120)],
            page.say("c.sensor"): linked(parts.to_sensor(page)),
            page.say("c.district"): [width(100)],
            page.say("c.age"): [*number(DURATION, 0), width(110)],
        },
        hidden=("stream", "sensor"),
    )
    page.add("silent", panel, At(0, 19, 12, 10), rows(sql), nothing="none")


def _letters(page: Page) -> None:
    sql = f"""
        SELECT coalesce(d.title_{page.lang}, l.stream) AS {name(page.say("c.stream"))},
               l.stage AS {name(page.say("c.stage"))},
               l.code AS {name(page.say("c.code"))}, l.reason AS {name(page.say("c.reason"))},
               l.letters AS {name(page.say("c.letters"))}, l.open AS {name(page.say("c.open"))},
               l.newest_at AS {name(page.say("c.newest"))}
        FROM dash.dead_letters({RANGE}) l LEFT JOIN dash.streams d ON d.stream = l.stream
        ORDER BY l.open DESC, l.newest_at DESC LIMIT 200"""
    panel = table(
        {
            page.say("c.letters"): [*number("none", 0), width(70)],
            page.say("c.open"): [*number("none", 0), width(70)],
            page.say("c.newest"): time_column(),
        }
    )
    down = [parts.to_tool(page, "platform")]
    page.add("letters", panel, At(12, 19, 12, 10), rows(sql), to=down, nothing="none")
