"""One page per stream (L2): which sensors are off, and since when?"""

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from catalog.domains import DOMAINS
from catalog.model import Panel, Stream
from dashboards.boards import parts
from dashboards.looks import limits, unit, vital_limits
from dashboards.page import At, Page, drill, row, uid
from dashboards.panels import band, lines, number, prop, stat
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, pick, say
from dashboards.wall import vital

TOP = 6
CHART = 8


def stream_page(stream: Stream, lang: Lang) -> Page:
    """Return the page of one stream in one language."""
    domain = pick(DOMAINS[stream.domain].title, lang)
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
    panel = stat(
        unit=unit(sign.unit), decimals=sign.decimals, steps=vital_limits(stream), spark=True
    )
    sql = f"""
        SELECT t."time", t.value
        FROM dash.vital_trend(NULL, {RANGE}, {STEP}, {literal(stream.name)}) t
        ORDER BY t."time" LIMIT 2000"""
    page.add(
        key,
        panel,
        at,
        series(sql),
        title=page.pick(sign.title),
        about=page.say("city.d"),
        act=page.say("trend.a"),
        min_step="1m",
        points=100,
        to=[to],
    )


def chart(page: Page, stream: Stream, metric: str, at: At, *, filtered: bool, key: str) -> None:
    """Add the mean and band of one metric over the city or the chosen district."""
    shown = stream.quantity(metric)
    mean, low, high = page.say("c.mean"), page.say("c.low"), page.say("c.high")
    panel = lines(
        unit=unit(shown.unit),
        decimals=shown.decimals,
        steps=limits(stream, metric),
        limits_shown=True,
        legend=False,
    )
    place = ", ${district:sqlstring}" if filtered else ""
    sql = f"""
        SELECT s."time", s.value AS {name(mean)}, s.low AS {name(low)}, s.high AS {name(high)}
        FROM dash.series({literal(stream.name)}, {literal(metric)}, {RANGE}, {STEP}{place}) s
        ORDER BY s."time" LIMIT 5000"""
    written = "" if shown.unit == "1" else f"（{shown.unit}）"
    if page.lang == "en":
        written = "" if shown.unit == "1" else f" ({shown.unit})"
    page.add(
        key,
        band(panel, mean, low, high),
        at,
        series(sql),
        title=f"{page.pick(shown.title)}{written}",
        about=page.say("trend.d"),
        act=page.say("trend.a"),
        min_step=f"{min(60, stream.cadence_s)}s",
        points=500,
        to=[to_sensors(page, stream, metric) if filtered else to_stream(page, stream)],
    )


def by_district(page: Page, stream: Stream, at: At, *, key: str) -> None:
    """Add one line per district of the headline."""
    shown = stream.quantity(stream.headline)
    panel = lines(
        unit=unit(shown.unit), decimals=shown.decimals, steps=limits(stream, stream.headline)
    )
    panel.display_name("${__field.labels.metric}")
    where, chosen = uid("district", "", page.lang), "var-district=${__field.labels.district}"
    panel.data_links([drill(page.say("district"), where, chosen)])
    sql = f"""
        SELECT s."time", s.label AS metric, coalesce(d.district, '') AS district, s.value
        FROM dash.series({literal(stream.name)}, {literal(stream.headline)}, {RANGE}, {STEP},
             NULL, NULL, 'district', {literal(page.lang)}) s
        LEFT JOIN dash.districts d ON d.title_{page.lang} = s.label
        ORDER BY s."time", d.position, s.label LIMIT 20000"""
    page.add(
        key,
        panel,
        at,
        series(sql),
        title=f"{page.pick(shown.title)} · {page.say('by_district')}",
        about=page.say("by_district.d"),
        act=page.say("trend.a"),
        min_step="2m",
        points=150,
    )


def _head(page: Page, stream: Stream) -> None:
    city_value(page, stream, At(0, 0, 6, TOP), to=to_sensors(page, stream))
    online, total = page.say("c.online"), page.say("c.total")
    sql = f"""
        SELECT f.fresh AS {name(online)}, f.sensors AS {name(total)},
               f.age_s AS {name(page.say("c.age"))}
        FROM dash.freshness() f WHERE f.stream = {literal(stream.name)} ORDER BY 1"""
    panel = stat(names=True, rows=True, fields="/.*/")
    panel.override_by_name(page.say("c.age"), number("s", 0))
    page.add("online", panel, At(6, 0, 6, TOP), rows(sql), to=[parts.to_tool(page, "quality")])
    parts.active_alerts(page, At(12, 0, 12, TOP), stream=stream.name, rows_max=50)


def _charts(page: Page, stream: Stream, y: int) -> None:
    page.panels.append(row(page.say("trend"), y, f"stream/{stream.name}"))
    shown = [m for m in stream.aggregate_names if m not in _replaced(stream)]
    spots = [
        At(12 * (n % 2), y + 1 + CHART * (n // 2), 12, CHART)
        for n in range(len(shown) + len(stream.panels))
    ]
    for panel, at in zip(stream.panels, spots, strict=False):
        _declared(page, stream, panel, at)
    for metric, at in zip(shown, spots[len(stream.panels) :], strict=True):
        chart(page, stream, metric, at, filtered=True, key=f"chart/{metric}")
    end = spots[-1].y + CHART
    by_district(page, stream, At(0, end, 24, CHART), key="by_district")


def _replaced(stream: Stream) -> set[str]:
    return {metric for panel in stream.panels for metric in panel.metrics}


def _declared(page: Page, stream: Stream, declared: Panel, at: At) -> None:
    """Add a panel that the declaration asks for: several metrics on one axis."""
    first = stream.quantity(declared.metrics[0])
    kind = unit(first.unit)
    if declared.kind == "stat":
        panel = stat(unit=kind, decimals=first.decimals, names=True, spark=True)
    else:
        panel = lines(unit=kind, decimals=first.decimals, bars=declared.kind == "bars")
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
        min_step="1m",
        points=500,
        to=[to_sensors(page, stream, declared.metrics[0])],
    )
