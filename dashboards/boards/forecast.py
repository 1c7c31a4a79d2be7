"""Forecasts: what comes, how sure, how right it has been, and which limits may be crossed?"""

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from catalog.headline import in_screen_order
from catalog.model import Stream
from catalog.sensors import sensors_of
from dashboards.boards import parts
from dashboards.looks import severity_mapping
from dashboards.page import At, Page, drill, uid
from dashboards.panels import (
    band,
    coloured,
    limit_lines,
    lines,
    linked,
    number,
    prop,
    table,
    time_column,
    width,
)
from dashboards.query import RANGE, literal, name, rows, series
from dashboards.texts import Lang, pick, say

STREAM = "${stream:sqlstring}"
METRIC, LEVEL, SUBJECT = (f"split_part(${{series:sqlstring}}, '|', {n})" for n in (1, 2, 3))
LEAD_H = 6
DAYS = 30
HOUR_GAP_S = 3 * 3600.0
LEAST = 0.1
"""Chances below are not listed."""


def forecast_page(lang: Lang) -> Page:
    """Return the page in one language."""
    page = Page(
        lang,
        kind="forecast",
        title=say("forecast", lang),
        question=say("forecast.q", lang),
        refresh="5m",
        since="now-24h",
        until="now+24h",
        tags=("l1", "tools"),
        parent="wall",
    )
    _variables(page)
    _fan(page)
    _outlook(page)
    _as_of(page)
    _skill(page)
    _record(page)
    return page


def _first() -> Stream:
    return next(s for s in in_screen_order() if s.forecast and sensors_of(s.name))


def _variables(page: Page) -> None:
    lang, first = page.lang, _first()
    metric, sensor = first.forecast[0].of, sensors_of(first.name)[0]
    shown = f"{pick(first.quantity(metric).title, lang)} · {pick(sensor.title, lang)}"
    page.variable(
        "v.stream",
        f"SELECT s.title_{lang} AS __text, s.stream AS __value FROM dash.streams s WHERE EXISTS"
        " (SELECT 1 FROM dash.forecast_choices(s.stream, '')) ORDER BY s.position",
        name="stream",
        current=(pick(first.title, lang), first.name),
    )
    page.variable(
        "v.series",
        f"SELECT __text, __value FROM dash.forecast_choices({STREAM}, {literal(lang)})",
        name="series",
        current=(shown, f"{metric}|sensor|{sensor.id}"),
    )


def _fan(page: Page) -> None:
    median, low, high = page.say("c.median"), page.say("c.low80"), page.say("c.high80")
    low95, high95, came = page.say("c.low95"), page.say("c.high95"), page.say("c.came")
    panel = band(lines(unit="none", decimals=2, gap_s=HOUR_GAP_S), median, low, high)
    band(panel, median, low95, high95)
    panel.override_by_name(came, [prop("custom.lineWidth", 2)])
    past = f"""
        SELECT f."time", f.truth AS {name(came)}
        FROM dash.forecast_as_of({STREAM}, {METRIC}, {SUBJECT}, 1, {RANGE}, {LEVEL}) f
        ORDER BY f."time" LIMIT 1000"""
    fan = f"""
        SELECT f."time", f.median AS {name(median)}, f.low80 AS {name(low)},
               f.high80 AS {name(high)}, f.low95 AS {name(low95)}, f.high95 AS {name(high95)}
        FROM dash.forecast({STREAM}, {METRIC}, {SUBJECT}, {LEVEL}) f
        WHERE f."time" BETWEEN $__timeFrom() AND $__timeTo() ORDER BY f."time" LIMIT 100"""
    limits = f"""
        SELECT l."time", l.label AS metric, l.value
        FROM dash.limits({STREAM}, {SUBJECT}, {METRIC}, {RANGE}, {literal(page.lang)}) l
        WHERE {LEVEL} = 'sensor' ORDER BY l."time", l.label LIMIT 100"""
    targets = series(past), series(fan, "B"), series(limits, "C")
    page.add("fan", limit_lines(panel), At(0, 0, 16, 11), *targets, to=_on(page))
    issued = f"""
        SELECT max(f.issued_at) AS {name(page.say("c.issued"))},
               max(f.status) AS {name(page.say("c.status"))}
        FROM dash.forecast({STREAM}, {METRIC}, {SUBJECT}, {LEVEL}) f ORDER BY 1 LIMIT 1"""
    page.add(
        "issued",
        table({page.say("c.issued"): time_column()}),
        At(16, 0, 8, 4),
        rows(issued),
        to=[parts.to_tool(page, "platform")],
    )


def _on(page: Page) -> list[DashboardLink]:
    """Return the link to the sensors of the chosen stream."""
    return [drill(page.say("sensor"), uid("sensor", "", page.lang), "var-stream=${stream}")]


def _outlook(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT o.severity AS {name(page.say("c.level"))}, o.title AS {name(page.say("c.sensor"))},
               o.rule_title AS {name(page.say("c.alert"))}, o."time" AS {name(page.say("c.time"))},
               100 * o.chance AS {name(page.say("c.chance"))}, o.stream, o.sensor
        FROM dash.outlook(NULL, 24, {LEAST}, {literal(lang)}) o
        ORDER BY o.severity, o.chance DESC LIMIT 50"""
    counts = [page.say(f"c.{one}") for one in ("standing", "hits", "not_come", "misses")]
    panel = table(
        {shown: number("none", 0) for shown in counts}
        | {
            page.say("c.level"): [*coloured(severity_mapping(lang)), width(100)],
            page.say("c.sensor"): linked(parts.to_sensor(page)),
            page.say("c.time"): time_column(),
            page.say("c.chance"): [*number("percent", 0), width(80)],
        },
        hidden=("stream", "sensor"),
    )
    page.add("may_cross", panel, At(16, 4, 8, 7), rows(sql), nothing="none")


def _as_of(page: Page) -> None:
    median, low, high = page.say("c.median"), page.say("c.low80"), page.say("c.high80")
    came = page.say("c.came")
    panel = band(lines(unit="none", decimals=2, gap_s=HOUR_GAP_S), median, low, high)
    panel.override_by_name(came, [prop("custom.lineWidth", 2)])
    sql = f"""
        SELECT f."time", f.truth AS {name(came)}, f.median AS {name(median)},
               f.low80 AS {name(low)}, f.high80 AS {name(high)}
        FROM dash.forecast_as_of({STREAM}, {METRIC}, {SUBJECT}, {LEAD_H}, {RANGE}, {LEVEL}) f
        ORDER BY f."time" LIMIT 2000"""
    page.add("as_of", panel, At(0, 11, 12, 9), series(sql), to=_on(page))


def _skill(page: Page) -> None:
    share = [*number("percent", 0), width(90)]
    sql = f"""
        SELECT m.title_{page.lang} AS {name(page.say("c.metric"))}, k.subject AS
               {name(page.say("c.sensor"))}, k.n AS {name(page.say("c.n"))},
               concat_ws(' ', round(k.mae::numeric, m.decimals), nullif(m.unit, '1')) AS
               {name(page.say("c.off"))}, k.gain_day_pct AS {name(page.say("c.gain_day"))},
               k.gain_last_pct AS {name(page.say("c.gain_last"))},
               k.inside80_pct AS {name(page.say("c.inside80"))}
        FROM dash.forecast_skill({STREAM}, {LEAD_H}, {DAYS}) k
        JOIN dash.metrics m ON m.stream = {STREAM} AND m.metric = k.metric
        ORDER BY k.gain_day_pct NULLS LAST, k.subject LIMIT 500"""
    shares = (page.say("c.gain_day"), page.say("c.gain_last"), page.say("c.inside80"))
    count = {page.say("c.n"): number("none", 0)}
    panel = table(count | {shown: list(share) for shown in shares})
    page.add("skill", panel, At(12, 11, 12, 9), rows(sql), to=_on(page))


def _record(page: Page) -> None:
    share = [*number("percent", 0), width(90)]
    sql = f"""
        SELECT r.title_{page.lang} AS {name(page.say("c.alert"))},
               w.severity AS {name(page.say("c.level"))}, w.standing AS
               {name(page.say("c.standing"))}, w.hits AS {name(page.say("c.hits"))},
               w.false_ones + w.withdrawn AS {name(page.say("c.not_come"))},
               w.misses AS {name(page.say("c.misses"))}, 100 * w.pod AS {name(page.say("c.pod"))},
               100 * w.far AS {name(page.say("c.far"))}, w.lead_h AS {name(page.say("c.lead"))},
               w.brier AS {name(page.say("c.brier"))},
               CASE WHEN w.on_trial THEN {literal(page.say("trial"))}
                    ELSE {literal(page.say("told"))} END AS {name(page.say("c.state"))}
        FROM dash.warning_record(NULL, 365) w JOIN dash.rules r ON r.rule = w.rule
        ORDER BY w.on_trial, w.rule, w.severity LIMIT 500"""
    counts = [page.say(f"c.{one}") for one in ("standing", "hits", "not_come", "misses")]
    panel = table(
        {shown: number("none", 0) for shown in counts}
        | {
            page.say("c.level"): [*coloured(severity_mapping(page.lang)), width(100)],
            page.say("c.pod"): list(share),
            page.say("c.far"): list(share),
            page.say("c.lead"): [*number("h", 1), width(90)],
            page.say("c.brier"): [*number("none", 2), width(90)],
        }
    )
    page.add(
        "warned",
        panel,
        At(0, 20, 24, 8),
        rows(sql),
        nothing="none",
        to=[parts.to_tool(page, "alerts")],
    )
