"""L2, one district: how is it doing right now?"""

from catalog.headline import distance_title, in_screen_order
from catalog.severity import LEVELS
from catalog.site import site
from dashboards.boards import parts
from dashboards.boards.alerts import history
from dashboards.boards.stream import limit_targets, to_stream
from dashboards.looks import PLAIN, is_distance, level_mapping, unit
from dashboards.page import At, Page
from dashboards.panels import (
    DURATION,
    coloured,
    limit_lines,
    lines,
    linked,
    number,
    stat,
    table,
    threshold_props,
    width,
)
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, pick, say

TOP = 4


def district_page(lang: Lang) -> Page:
    """Return the page in one language."""
    page = Page(
        lang,
        kind="district",
        title=say("district", lang),
        question=say("district.q", lang),
        refresh="30s",
        tags=("l1", "l2"),
        parent="wall",
    )
    first = next(iter(site().districts.values()))
    query = (
        f"SELECT __text, __value FROM dash.district_choices({literal(lang)}) WHERE __value <> 'all'"
    )
    page.variable(
        "v.district", query, name="district", current=(pick(first.title, lang), first.code)
    )
    _figures(page)
    _sensors(page)
    narrowed = ", NULL, NULL, NULL, ${district:sqlstring}"
    history(page, At(12, TOP, 12, 12), arguments=narrowed)
    for n, stream in enumerate(in_screen_order()):
        at = At(8 * (n % 3), TOP + 12 + 7 * (n // 3), 8, 7)
        shown = stream.quantity(stream.headline)
        panel = limit_lines(lines(unit=unit(shown.unit), decimals=None, gap_s=3 * stream.cadence_s))
        title = distance_title(stream) if is_distance(stream, stream.headline) else shown.title
        sql = f"""
            SELECT s."time", s.label AS metric, s.value
            FROM dash.series({literal(stream.name)}, {literal(stream.headline)}, {RANGE}, {STEP},
                 ${{district:sqlstring}}, NULL, 'sensor', {literal(lang)}) s
            ORDER BY s."time", s.label LIMIT 20000"""
        page.add(
            f"stream/{stream.name}",
            panel,
            at,
            series(sql),
            *limit_targets(stream, stream.headline, lang),
            title=f"{page.pick(stream.title)} · {page.pick(title)}",
            about=page.say("by_sensor.d"),
            act=page.say("trend.a"),
            min_step=f"{max(60, stream.cadence_s)}s",
            points=300,
            to=[to_stream(page, stream)],
        )
    parts.notes(page, ", NULL, NULL, NULL, ${district:sqlstring}")
    return page


def _figures(page: Page) -> None:
    wanted = ("sensors", "fresh", "stale", "never", "red", "orange", "yellow", "blue")
    keys = tuple(f"c.{source}" for source in ("sensors", "online", *wanted[2:]))
    columns = ", ".join(
        f"d.{source} AS {name(page.say(key))}" for source, key in zip(wanted, keys, strict=True)
    )
    sql = (
        f"SELECT {columns} FROM dash.district_states() d"
        " WHERE d.district = ${district:sqlstring} ORDER BY 1"
    )
    panel = stat(names=True, rows=True, fields="/.*/")
    for level in LEVELS.values():
        column = page.say(f"c.{level.severity.name.lower()}")
        panel.override_by_name(column, threshold_props([*PLAIN, (1, level.colour)]))
    page.add(
        "district_now", panel, At(0, 0, 24, TOP), rows(sql), to=[parts.to_tool(page, "alerts")]
    )


def _sensors(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT t.level AS {name(page.say("c.state"))}, d.title_{lang} AS
               {name(page.say("c.stream"))}, s.title_{lang} AS {name(page.say("c.sensor"))},
               concat_ws(' ', round(s.value::numeric, s.decimals), nullif(s.unit, '1')) AS
               {name(page.say("c.value"))}, s.age_s AS {name(page.say("c.age"))}, s.stream, s.sensor
        FROM dash.sensor_states() s JOIN dash.states t ON t.state = s.state
        JOIN dash.streams d ON d.stream = s.stream
        WHERE s.district = ${{district:sqlstring}}
        ORDER BY t.level DESC, d.position, s.sensor LIMIT 500"""
    panel = table(
        {
            page.say("c.state"): [*coloured(level_mapping(lang)), width(110)],
            page.say("c.stream"): [width(130)],
            page.say("c.sensor"): linked(parts.to_sensor(page)),
            page.say("c.value"): [width(110)],
            page.say("c.age"): [*number(DURATION, 0), width(90)],
        },
        hidden=("stream", "sensor"),
    )
    page.add("worst", panel, At(0, TOP, 12, 12), rows(sql), act=page.say("trend.a"))
