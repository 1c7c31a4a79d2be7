"""Platform health: does the platform take in and deliver on time?"""

from catalog.model import Severity
from catalog.severity import LEVELS
from dashboards.boards import parts
from dashboards.looks import PLAIN, platform_steps, yes_no_mapping
from dashboards.page import At, Page
from dashboards.panels import (
    DURATION,
    coloured,
    lines,
    linked,
    number,
    prop,
    stat,
    table,
    threshold_props,
    width,
)
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, say
from storage.views.limits import CONSUMER_STOOD_S

ORANGE = LEVELS[Severity.ORANGE].colour
COUNTED = ("waiting", "delivered", "given_up", "attempts")
FIGURES = (
    # text, name in dash.platform(), unit, decimals
    ("c.stored", "stored_per_s", "none", 1),
    ("c.age_newest", "newest_age_s", DURATION, 0),
    ("c.arrival", "arrival_delay_s", "s", 1),
    ("c.dead", "dead_letters_open", "none", 0),
    ("c.undelivered", "undelivered", "none", 0),
    ("c.oldest", "oldest_undelivered_s", DURATION, 0),
    ("c.given_up", "given_up", "none", 0),
    ("c.corrected", "windows_corrected", "none", 0),
)


def platform_page(lang: Lang) -> Page:
    """Return the page in one language."""
    page = Page(
        lang,
        kind="platform",
        title=say("platform", lang),
        question=say("platform.q", lang),
        refresh="30s",
        tags=("l1", "tools"),
        parent="wall",
    )
    _figures(page)
    _stored(page)
    _consumers(page)
    _deliveries(page)
    _receivers(page)
    _sizes(page)
    return page


def _figures(page: Page) -> None:
    panel, columns = stat(names=True, rows=True, fields="/.*/"), []
    for key, source, shown, decimals in FIGURES:
        column = page.say(key)
        columns.append(f"max(p.value) FILTER (WHERE p.name = {literal(source)}) AS {name(column)}")
        colours = threshold_props(platform_steps(source))
        panel.override_by_name(column, [*number(shown, decimals), *colours])
    sql = f"SELECT {', '.join(columns)} FROM dash.platform() p ORDER BY 1"
    page.add(
        "figures_platform", panel, At(0, 0, 24, 4), rows(sql), to=[parts.to_tool(page, "quality")]
    )


def _stored(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT d.title_{lang} AS {name(page.say("c.stream"))}, s.value AS
               {name(page.say("c.stored"))}, p.page
        FROM dash.stored_per_second() s JOIN dash.streams d ON d.stream = s.stream
        LEFT JOIN {parts.stream_pages(lang)} ON p.stream = s.stream
        ORDER BY d.position LIMIT 200"""
    panel = table(
        {
            page.say("c.stream"): linked(parts.to_page(page)),
            page.say("c.stored"): [*number("none", 2), width(140)],
        },
        hidden=("page",),
    )
    page.add("stored", panel, At(0, 4, 8, 11), rows(sql))


def _consumers(page: Page) -> None:
    stands = [*number(DURATION, 0), *threshold_props([*PLAIN, (CONSUMER_STOOD_S, ORANGE)])]
    stands.append(prop("custom.cellOptions", {"type": "color-text"}))
    sql = f"""
        SELECT c.consumer AS {name(page.say("c.consumer"))}, c.partitions AS
               {name(page.say("c.partitions"))}, c.next_offsets AS {name(page.say("c.offsets"))},
               c.age_s AS {name(page.say("c.moved"))}
        FROM dash.consumers() c ORDER BY c.consumer LIMIT 100"""
    panel = table(
        {
            page.say("c.partitions"): number("none", 0),
            page.say("c.offsets"): number("short", 1),
            page.say("c.moved"): stands,
        }
    )
    page.add("consumers", panel, At(8, 4, 8, 11), rows(sql), nothing="none")


def _sizes(page: Page) -> None:
    sql = f"""
        SELECT s."table" AS {name(page.say("c.table"))}, s.bytes AS {name(page.say("c.bytes"))}
        FROM dash.table_sizes() s ORDER BY s.bytes DESC LIMIT 15"""
    panel = table({page.say("c.bytes"): [*number("bytes", 1), width(120)]})
    page.add("sizes", panel, At(16, 4, 8, 11), rows(sql))


def _deliveries(page: Page) -> None:
    panel = lines(unit="none", decimals=0, bars=True, stacked=True)
    sql = f"""
        SELECT c."time", c.label AS metric, c.value
        FROM dash.delivery_counts({RANGE}, {STEP}, {literal(page.lang)}) c
        ORDER BY c."time", c.label LIMIT 5000"""
    down = [parts.to_tool(page, "alerts")]
    page.add("deliveries", panel, At(0, 15, 10, 9), series(sql), min_step="1m", points=60, to=down)


def _receivers(page: Page) -> None:
    sql = f"""
        SELECT f.receiver AS {name(page.say("c.receiver"))}, f.enabled::text AS
               {name(page.say("c.enabled"))}, f.waiting AS {name(page.say("c.waiting"))},
               f.delivered AS {name(page.say("c.delivered"))}, f.given_up AS
               {name(page.say("c.given_up"))}, f.attempts AS {name(page.say("c.attempts"))},
               f.p50_ms AS {name(page.say("c.p50"))}, f.p99_ms AS {name(page.say("c.p99"))},
               f.last_error AS {name(page.say("c.error"))}
        FROM dash.delivery_figures({RANGE}) f ORDER BY f.receiver LIMIT 200"""
    panel = table(
        {
            page.say("c.enabled"): [*coloured(yes_no_mapping(page.lang)), width(70)],
            **{page.say(f"c.{counted}"): number("none", 0) for counted in COUNTED},
            page.say("c.p50"): [*number("ms", 0), width(80)],
            page.say("c.p99"): [*number("ms", 0), width(80)],
        }
    )
    act, down = page.say("deliveries.a"), [parts.to_tool(page, "alerts")]
    page.add("receivers", panel, At(10, 15, 14, 9), rows(sql), act=act, to=down, nothing="none")
