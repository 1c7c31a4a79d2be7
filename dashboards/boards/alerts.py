"""Alerts and incidents: what needs doing now, and is it done fast enough?"""

from catalog.model import Severity
from catalog.severity import LEVELS
from dashboards.boards import parts
from dashboards.looks import incident_mapping, severity_mapping
from dashboards.page import At, Page
from dashboards.panels import (
    DURATION,
    coloured,
    lines,
    linked,
    mapping_prop,
    number,
    prop,
    stat,
    table,
    time_column,
    width,
)
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, pick, say


def alerts_page(lang: Lang) -> Page:
    """Return the page in one language."""
    page = Page(
        lang,
        kind="alerts",
        title=say("alerts", lang),
        question=say("alerts.q", lang),
        refresh="10s",
        since="now-24h",
        tags=("l1", "tools"),
        parent="wall",
    )
    _figures(page)
    parts.active_incidents(page, At(0, 4, 14, 5), rows_max=50)
    parts.active_alerts(page, At(0, 9, 14, 12), rows_max=200)
    _raised(page)
    history(page, At(0, 21, 14, 12))
    _incidents(page)
    _sources(page)
    return page


def history(page: Page, at: At, *, arguments: str = "", key: str = "history") -> None:
    """Add the alerts of the chosen time, narrowed by more arguments of ``dash.alert_history``."""
    lang = page.lang
    sql = f"""
        SELECT h.peak_severity AS {name(page.say("c.level"))}, h.title_{lang} AS
               {name(page.say("c.alert"))}, h.sensor_{lang} AS {name(page.say("c.sensor"))},
               h.raised_at AS {name(page.say("c.since"))}, h.cleared_at AS
               {name(page.say("c.cleared"))}, h.lasted_s AS {name(page.say("c.lasted"))},
               h.acked_by AS {name(page.say("c.acked"))}, h.stream, h.sensor
        FROM dash.alert_history({RANGE}, 200{arguments}) h
        ORDER BY h.raised_at DESC LIMIT 200"""
    panel = table(
        {
            page.say("c.level"): [*coloured(severity_mapping(lang)), width(90)],
            page.say("c.sensor"): linked(parts.to_sensor(page)),
            page.say("c.since"): time_column(),
            page.say("c.cleared"): [*time_column(), parts.nothing(page, "ongoing")],
            page.say("c.lasted"): [*number(DURATION, 0), width(90)],
            **parts.acked_column(page),
        },
        hidden=("stream", "sensor"),
    )
    about, act = page.say("history.d"), page.say("history.a")
    page.add(key, panel, at, rows(sql), about=about, act=act, nothing="none")


def _figures(page: Page) -> None:
    parts_of = {level.severity: level for level in LEVELS.values()}
    columns, panel = [], stat(names=True, rows=True, fields="/.*/")
    for severity in Severity:
        column = f"{parts_of[severity].icon} {pick(parts_of[severity].title, page.lang)}"
        columns.append(f"f.{severity.name.lower()} AS {name(column)}")
        steps = [
            {"value": None, "color": "#D8DEE4"},
            {"value": 1, "color": parts_of[severity].colour},
        ]
        panel.override_by_name(column, [prop("thresholds", {"mode": "absolute", "steps": steps})])
    for key, source in (("c.unacked", "unacked"), ("c.raised", "raised"), ("c.cleared", "cleared")):
        columns.append(f"f.{source} AS {name(page.say(key))}")
    for key, source in (("c.ack_p50", "ack_p50_s"), ("c.clear_p50", "clear_p50_s")):
        columns.append(f"f.{source} AS {name(page.say(key))}")
        panel.override_by_name(page.say(key), number(DURATION, 0))
    sql = f"SELECT {', '.join(columns)} FROM dash.alert_figures({RANGE}) f ORDER BY 1"
    page.add("figures", panel, At(0, 0, 24, 4), rows(sql), to=[parts.to_tool(page, "platform")])


def _raised(page: Page) -> None:
    panel = lines(unit="none", decimals=0, bars=True, stacked=True)
    for level in LEVELS.values():
        shown = f"{level.icon} {pick(level.title, page.lang)}"
        panel.override_by_name(
            shown, [prop("color", {"mode": "fixed", "fixedColor": level.colour})]
        )
    sql = f"""
        SELECT c."time", c.label AS metric, c.value
        FROM dash.alert_counts({RANGE}, {STEP}, {literal(page.lang)}) c
        ORDER BY c."time", c.label LIMIT 5000"""
    down = [parts.to_tool(page, "quality")]
    page.add("raised", panel, At(14, 4, 10, 8), series(sql), min_step="1m", points=60, to=down)


def _incidents(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT i.peak_severity AS {name(page.say("c.level"))}, i.title_{lang} AS
               {name(page.say("c.incident"))}, i.status AS {name(page.say("c.status"))},
               i.alerts AS {name(page.say("c.alerts"))}, i.opened_at AS
               {name(page.say("c.since"))}, i.lasted_s AS {name(page.say("c.lasted"))},
               i.stream, i.sensor
        FROM dash.incidents({RANGE}) i ORDER BY i.opened_at DESC LIMIT 200"""
    panel = table(
        {
            page.say("c.level"): [*coloured(severity_mapping(lang)), width(90)],
            page.say("c.incident"): linked(parts.to_sensor(page)),
            page.say("c.status"): [mapping_prop(incident_mapping(lang)), width(90)],
            page.say("c.alerts"): [*number("none", 0), width(70)],
            page.say("c.since"): time_column(),
            page.say("c.lasted"): [*number(DURATION, 0), width(90)],
        },
        hidden=("stream", "sensor"),
    )
    act = page.say("incidents.a")
    page.add("incidents_past", panel, At(14, 21, 10, 12), rows(sql), act=act, nothing="none")


def _sources(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT s.title_{lang} AS {name(page.say("c.alert"))}, s.sensor_{lang} AS
               {name(page.say("c.sensor"))}, s.raised AS {name(page.say("c.count"))},
               s.lasted_s AS {name(page.say("c.lasted"))}, s.stream, s.sensor
        FROM dash.alert_sources({RANGE}, 50) s ORDER BY s.raised DESC, s.lasted_s DESC LIMIT 50"""
    panel = table(
        {
            page.say("c.sensor"): linked(parts.to_sensor(page)),
            page.say("c.count"): [*number("none", 0), width(70)],
            page.say("c.lasted"): [*number(DURATION, 0), width(100)],
        },
        hidden=("stream", "sensor"),
    )
    page.add("sources", panel, At(14, 12, 10, 9), rows(sql), nothing="none")
