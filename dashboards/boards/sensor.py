"""L3, one sensor: what did it say, is it sound, why did it alarm?"""

from grafana_foundation_sdk.builders import timeseries as series_builder
from grafana_foundation_sdk.models import dashboard as model

from catalog.headline import in_screen_order
from catalog.model import Stream, ThresholdRule
from catalog.sensors import sensors_of
from dashboards.boards import parts
from dashboards.boards.alerts import history
from dashboards.looks import UNITS, flag_mapping
from dashboards.page import At, Page
from dashboards.panels import (
    band,
    coloured,
    limit_lines,
    lines,
    number,
    table,
    time_column,
    usual_band,
    width,
)
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, pick, say

CHOSEN = "${stream:sqlstring}, ${sensor:sqlstring}"
METRIC = "${metric:sqlstring}"
GAP_S = 3.0 * max(stream.cadence_s for stream in in_screen_order())
"""One page serves every stream: a line runs through three readings of the slowest."""


def sensor_page(lang: Lang) -> Page:
    """Return the page in one language."""
    page = Page(
        lang,
        kind="sensor",
        title=say("sensor", lang),
        question=say("sensor.q", lang),
        refresh="30s",
        tags=("l3",),
        parent="wall",
    )
    _variables(page)
    _card(page)
    _aggregated(page)
    _raw(page)
    _windows(page)
    _flags(page)
    narrowed = ", NULL, ${stream:sqlstring}, ${sensor:sqlstring}"
    history(page, At(12, 24, 12, 10), arguments=narrowed, key="episodes")
    parts.notes(page, f", NULL, {CHOSEN}", corrections=CHOSEN)
    return page


def _first() -> Stream:
    """Return the stream the page opens with: the first whose headline is sent and has limits."""
    return next(
        stream
        for stream in in_screen_order()
        for rule in stream.rules
        if isinstance(rule, ThresholdRule)
        and rule.metric == stream.headline
        and stream.headline in stream.metric_names
        and sensors_of(stream.name)
    )


def _variables(page: Page) -> None:
    lang, first = page.lang, _first()
    sensor, metric = sensors_of(first.name)[0], first.quantity(first.headline)
    page.variable(
        "v.stream",
        f"SELECT title_{lang} AS __text, stream AS __value FROM dash.streams ORDER BY position",
        name="stream",
        current=(pick(first.title, lang), first.name),
    )
    page.variable(
        "v.sensor",
        f"SELECT __text, __value FROM dash.sensor_choices(${{stream:sqlstring}}, {literal(lang)})",
        name="sensor",
        current=(pick(sensor.title, lang), sensor.id),
    )
    page.variable(
        "v.metric",
        f"SELECT title_{lang} AS __text, metric AS __value FROM dash.metrics"
        " WHERE stream = ${stream:sqlstring} ORDER BY metric <> (SELECT headline FROM dash.streams"
        " s WHERE s.stream = ${stream:sqlstring}), position",
        name="metric",
        current=(pick(metric.title, lang), first.headline),
    )


def _card(page: Page) -> None:
    sql = f"""
        SELECT c.field AS {name(page.say("c.field"))}, c.value AS {name(page.say("c.value"))}
        FROM dash.sensor_card({CHOSEN}, {literal(page.lang)}) WITH ORDINALITY c (field, value, n)
        ORDER BY c.n LIMIT 50"""
    page.add("card", table({page.say("c.field"): [width(140)]}), At(0, 0, 6, 9), rows(sql))


def _aggregated(page: Page) -> None:
    mean, low, high = page.say("c.mean"), page.say("c.low"), page.say("c.high")
    usual_low, usual_high = page.say("c.usual_low"), page.say("c.usual_high")
    panel = limit_lines(band(lines(unit="none", decimals=2, gap_s=GAP_S), mean, low, high))
    usual_band(panel, usual_low, usual_high)
    _in_its_unit(panel)
    values = f"""
        SELECT s."time", s.value AS {name(mean)}, s.low AS {name(low)}, s.high AS {name(high)}
        FROM dash.series(${{stream:sqlstring}}, {METRIC}, {RANGE}, {STEP}, NULL,
             ${{sensor:sqlstring}}) s ORDER BY s."time" LIMIT 5000"""
    lines_of = f"""
        SELECT l."time", l.label AS metric, l.value
        FROM dash.limits({CHOSEN}, {METRIC}, {RANGE}, {literal(page.lang)}) l
        ORDER BY l."time", l.label LIMIT 100"""
    usual = f"""
        SELECT u."time", u.low AS {name(usual_low)}, u.high AS {name(usual_high)}
        FROM dash.usual({CHOSEN}, {METRIC}, {RANGE}) u ORDER BY u."time" LIMIT 2000"""
    page.add(
        "aggregated",
        panel,
        At(6, 0, 18, 9),
        series(values),
        series(lines_of, "B"),
        series(usual, "C"),
        rows(_unit_sql(), "Unit"),
        min_step="5s",
        points=500,
    )


def _unit_sql() -> str:
    """Return SQL for Grafana's name of the chosen metric's unit, and its decimals."""
    known = ", ".join(f"({literal(ours)}, {literal(theirs)})" for ours, theirs in UNITS.items())
    return f"""
        SELECT coalesce(u.theirs, 'suffix:' || m.unit) AS unit, m.decimals
        FROM dash.metrics m LEFT JOIN (VALUES {known}) u (ours, theirs) ON u.ours = m.unit
        WHERE m.stream = ${{stream:sqlstring}} AND m.metric = {METRIC} ORDER BY 1 LIMIT 1"""


def _in_its_unit(panel: series_builder.Panel) -> None:
    """Take unit and decimals from query ``Unit``: the page serves metrics of every unit."""
    options = {
        "configRefId": "Unit",
        "applyTo": {"id": "byType", "options": "number"},
        "mappings": [
            {"fieldName": "unit", "handlerKey": "unit"},
            {"fieldName": "decimals", "handlerKey": "decimals"},
        ],
    }
    panel.with_transformation(model.DataTransformerConfig(id_val="configFromData", options=options))


def _raw(page: Page) -> None:
    value = f"""
        SELECT r."time", r.value AS {name(page.say("c.value"))}
        FROM dash.raw({CHOSEN}, {METRIC}, {RANGE}) r ORDER BY r."time" LIMIT 3000"""
    panel = lines(unit="none", decimals=2, legend=False, points=True)
    _in_its_unit(panel)
    unit_of = rows(_unit_sql(), "Unit")
    page.add("raw", panel, At(0, 9, 16, 8), series(value), unit_of, points=1000)
    delay = f"""
        SELECT r."time", r.delay_s AS {name(page.say("c.delay"))}
        FROM dash.raw({CHOSEN}, {METRIC}, {RANGE}) r ORDER BY r."time" LIMIT 3000"""
    panel = lines(unit="s", decimals=1, legend=False, points=True)
    page.add("delay", panel, At(16, 9, 8, 8), series(delay), points=1000)


def _windows(page: Page) -> None:
    n, good, revision = page.say("c.n"), page.say("c.goodn"), page.say("c.revision")
    sql = f"""
        SELECT w."time", w.n AS {name(n)}, w.good AS {name(good)}, w.revision AS {name(revision)}
        FROM dash.windows({CHOSEN}, {METRIC}, {RANGE}) w ORDER BY w."time" LIMIT 1500"""
    panel = lines(unit="none", decimals=0)
    page.add("windows", panel, At(0, 17, 24, 7), series(sql), act=page.say("raw.a"), points=1000)


def _flags(page: Page) -> None:
    lang = page.lang
    sql = f"""
        SELECT f."time" AS {name(page.say("c.time"))}, f.title_{lang} AS
               {name(page.say("c.metric"))}, f.test AS {name(page.say("c.test"))}, f.flag AS
               {name(page.say("c.flag"))}, concat_ws(' ', f.value, nullif(f.unit, '1')) AS
               {name(page.say("c.value"))}
        FROM dash.flags({CHOSEN}, {RANGE}) f ORDER BY f."time" DESC LIMIT 200"""
    panel = table(
        {
            page.say("c.time"): time_column(),
            page.say("c.flag"): [*coloured(flag_mapping(lang)), width(110), *number("none", 0)],
        }
    )
    about, act = page.say("flags.d"), page.say("flags.a")
    page.add(
        "sensor_flags", panel, At(0, 24, 12, 10), rows(sql), about=about, act=act, nothing="none"
    )
