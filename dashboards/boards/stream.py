"""One page per stream (L2): which sensors are off, and since when?"""

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from catalog.headline import distance_title
from catalog.model import Panel, Stream
from catalog.registry import systems
from dashboards.boards import parts
from dashboards.boards.states import district_states
from dashboards.boards.vitals import tiles
from dashboards.looks import is_distance, level_lines, names_mapping, unit
from dashboards.page import At, Page, drill, row, uid
from dashboards.panels import DURATION, band, limit_lines, lines, number, prop, stat
from dashboards.query import RANGE, STEP, SqlTarget, literal, name, rows, series
from dashboards.texts import Lang, pick, say
from dashboards.wall import vital

TOP = 6
CHART = 8
STRIPS = 12
TURN = "°"
"""Unit of a direction, whose mean goes round."""


def stream_page(stream: Stream, lang: Lang) -> Page:
    """Return the page of one stream in one language."""
    domain = pick(systems()[stream.domain].title, lang)
    page = Page(
        lang,
        kind="stream",
        name=stream.name,
        title=f"{domain} · {pick(stream.title, lang)}",
        question=say("stream.q", lang),
        refresh="30s",
        tags=("stream", f"domain-{stream.domain}"),
        parent="domain",
        parent_name=stream.domain,
    )
    parts.district_variable(page)
    _head(page, stream)
    parts.city_sensors(page, At(0, TOP, 10, 14), stream=stream.name)
    parts.sensors(page, At(10, TOP, 14, 14), stream)
    _charts(page, stream, TOP + 14)
    named = literal(stream.name)
    parts.notes(page, f", NULL, {named}", corrections=named)
    return page


def to_sensors(page: Page, stream: Stream, metric: str = "") -> DashboardLink:
    """Return the link from a stream to the diagnosis of its sensors, with a metric chosen."""
    chosen = f"var-stream={stream.name}" + (f"&var-metric={metric}" if metric else "")
    return drill(page.say("sensor"), uid("sensor", "", page.lang), chosen)


def to_stream(page: Page, stream: Stream) -> DashboardLink:
    """Return the link to the page of a stream."""
    return drill(page.pick(stream.title), uid("stream", stream.name, page.lang))


def city_value(page: Page, stream: Stream, at: At, *, to: DashboardLink, key: str = "city") -> None:
    """Add the stream's one number with its sparkline."""
    sign = vital(stream)
    panel, targets = tiles(page, [(sign, to)])
    page.add(
        key,
        panel,
        at,
        *targets,
        title=page.pick(sign.title),
        about=page.say("city.d"),
        act=page.say("trend.a"),
        min_step="1m",
        points=100,
        to=[to],
    )


def chart(page: Page, stream: Stream, metric: str, at: At, *, filtered: bool, key: str) -> None:
    """Add the mean and band of one metric over the city or the chosen district, and its limits."""
    shown = stream.quantity(metric)
    mean, low, high = page.say("c.mean"), page.say("c.low"), page.say("c.high")
    turning = shown.unit == TURN
    panel = lines(
        unit=unit(shown.unit),
        decimals=None,
        gap_s=3 * stream.cadence_s,
        legend=False,
        points=turning,
    )
    panel.mappings(list(names_mapping(stream, metric, page.lang)))
    if turning:
        panel.min(0).max(360).line_width(0)
    place = ", ${district:sqlstring}" if filtered else ""
    sql = f"""
        SELECT s."time", s.value AS {name(mean)}, s.low AS {name(low)}, s.high AS {name(high)}
        FROM dash.series({literal(stream.name)}, {literal(metric)}, {RANGE}, {STEP}{place}) s
        ORDER BY s."time" LIMIT 5000"""
    title = distance_title(stream) if is_distance(stream, metric) else shown.title
    page.add(
        key,
        limit_lines(band(panel, mean, low, high)),
        at,
        series(sql),
        *limit_targets(stream, metric, page.lang),
        title=f"{page.pick(title)}{written(shown.unit, page.lang)}",
        about=page.say("trend.d"),
        act=page.say("trend.a"),
        min_step=f"{stream.cadence_s}s",
        points=500,
        to=[to_sensors(page, stream, metric) if filtered else to_stream(page, stream)],
    )


def written(unit_: str, lang: Lang) -> str:
    """Return a unit in brackets behind a title, empty for a number without one."""
    brackets = "（{}）" if lang == "zh" else " ({})"
    return "" if unit_ == "1" else brackets.format(unit_)


def limit_targets(stream: Stream, metric: str, lang: Lang) -> list[SqlTarget]:
    """Return the query of the metric's limits as level lines; none when it has none."""
    columns = ", ".join(
        f"{value}::float8 AS {name(shown)}" for shown, value in level_lines(stream, metric, lang)
    )
    if not columns:
        return []
    return [
        series(
            f"""
        SELECT p.at AS "time", {columns}
        FROM (VALUES ($__timeFrom()::timestamptz), ($__timeTo()::timestamptz)) p (at)
        ORDER BY 1 LIMIT 2""",
            "L",
        )
    ]


def _head(page: Page, stream: Stream) -> None:
    city_value(page, stream, At(0, 0, 6, TOP), to=to_sensors(page, stream))
    online, total = page.say("c.online"), page.say("c.total")
    sql = f"""
        SELECT f.fresh AS {name(online)}, f.sensors AS {name(total)},
               f.age_s AS {name(page.say("c.age"))}
        FROM dash.freshness() f WHERE f.stream = {literal(stream.name)} ORDER BY 1"""
    panel = stat(names=True, rows=True, fields="/.*/")
    panel.override_by_name(page.say("c.age"), number(DURATION, 0))
    page.add("online", panel, At(6, 0, 6, TOP), rows(sql), to=[parts.to_tool(page, "quality")])
    parts.active_alerts(page, At(12, 0, 12, TOP), stream=stream.name, rows_max=50)


def _charts(page: Page, stream: Stream, y: int) -> None:
    page.panels.append(row(page.say("trend"), y, f"stream/{stream.name}"))
    shown = [m for m in stream.charted_names if m not in _replaced(stream)]
    spots = [
        At(12 * (n % 2), y + 1 + CHART * (n // 2), 12, CHART)
        for n in range(len(shown) + len(stream.panels))
    ]
    for panel, at in zip(stream.panels, spots, strict=False):
        _declared(page, stream, panel, at)
    for metric, at in zip(shown, spots[len(stream.panels) :], strict=True):
        chart(page, stream, metric, at, filtered=True, key=f"chart/{metric}")
    end = spots[-1].y + CHART
    district_states(page, At(0, end, 24, STRIPS), stream=stream.name)


def _replaced(stream: Stream) -> set[str]:
    return {metric for panel in stream.panels for metric in panel.metrics}


def _declared(page: Page, stream: Stream, declared: Panel, at: At) -> None:
    """Add a panel that the declaration asks for: several metrics on one axis."""
    first = stream.quantity(declared.metrics[0])
    kind = unit(first.unit)
    if declared.kind == "stat":
        panel = stat(unit=kind, decimals=first.decimals, names=True, spark=True)
    else:
        panel = lines(
            unit=kind, decimals=None, gap_s=3 * stream.cadence_s, bars=declared.kind == "bars"
        )
    targets = []
    for n, metric in enumerate(declared.metrics):
        shown = stream.quantity(metric)
        alias = page.pick(shown.title)
        panel.override_by_name(
            alias, [*number(unit(shown.unit), shown.decimals), prop("displayName", alias)]
        )
        sql = f"""
            SELECT s."time", s.value AS {name(alias)}
            FROM dash.series({literal(stream.name)}, {literal(metric)}, {RANGE}, {STEP},
                 ${{district:sqlstring}}) s ORDER BY s."time" LIMIT 5000"""
        targets.append(series(sql, chr(ord("A") + n)))
    page.add(
        f"declared/{declared.metrics[0]}",
        panel,
        at,
        *targets,
        title=page.pick(declared.title),
        about=page.say("trend.d"),
        act=page.say("trend.a"),
        min_step=f"{stream.cadence_s}s",
        points=500,
        to=[to_sensors(page, stream, declared.metrics[0])],
    )
