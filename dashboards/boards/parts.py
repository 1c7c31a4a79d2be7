"""Panels that several pages share: alerts, freshness, sensors, maps, variables."""

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from catalog.headline import in_screen_order
from catalog.model import Severity, Stream
from catalog.severity import LEVELS, STALE_COLOUR, STATES
from dashboards.looks import (
    incident_mapping,
    level_mapping,
    names_mapping,
    severity_mapping,
    unit,
)
from dashboards.maps import sensor_map
from dashboards.page import At, Note, Page, drill, uid
from dashboards.panels import (
    BAND,
    DURATION,
    Property,
    clock_column,
    coloured,
    linked,
    mapping_prop,
    number,
    prop,
    table,
    time_column,
    width,
)
from dashboards.query import RANGE, literal, name, rows
from dashboards.texts import Lang

ACKED_PX = {"zh": 90, "en": 130}
"""Width of the column of who has acknowledged: its heading is longer in English."""


def nothing(page: Page, key: str) -> Property:
    """Return the words that stand in a column where there is no value."""
    return prop("noValue", page.say(key))


def acked_column(page: Page) -> dict[str, list[Property]]:
    """Return the column of who has acknowledged, with its properties."""
    shown = [width(ACKED_PX[page.lang]), nothing(page, "not_acked")]
    return {page.say("c.acked"): shown}


def to_sensor(page: Page) -> DashboardLink:
    """Return the link from a row with ``stream`` and ``sensor`` to the diagnosis of it."""
    fields = "var-stream=${__data.fields.stream}&var-sensor=${__data.fields.sensor}"
    return drill(page.say("sensor"), uid("sensor", "", page.lang), fields)


def to_district(page: Page) -> DashboardLink:
    """Return the link from a row with ``district`` to the page of it."""
    where = uid("district", "", page.lang)
    return drill(page.say("district"), where, "var-district=${__data.fields.district}")


def to_page(page: Page) -> DashboardLink:
    """Return the link from a row with ``page`` (a uid, see ``stream_pages``) to that page."""
    return drill(page.say("l.open"), "${__data.fields.page}")


def to_tool(page: Page, kind: str) -> DashboardLink:
    """Return the link to a page that is there once: alerts, quality or platform."""
    return drill(page.say(kind), uid(kind, "", page.lang))


def stream_pages(lang: Lang) -> str:
    """Return SQL of the relation ``p (stream, page)``: each stream with the uid of its page."""
    pages = ", ".join(
        f"({literal(s.name)}, {literal(uid('stream', s.name, lang))})" for s in in_screen_order()
    )
    return f"(VALUES {pages}) p (stream, page)"


def active_alerts(
    page: Page,
    at: At,
    *,
    domain: str = "",
    stream: str = "",
    rows_max: int,
    brief: bool = False,
) -> None:
    """Add the table of open alerts, of one domain or stream if named; ``brief``: in few columns."""
    wanted = [f"a.domain = {literal(domain)}"] if domain else []
    wanted += [f"a.stream = {literal(stream)}"] if stream else []
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    lang = page.lang
    acked = "" if brief else f"a.acked_by AS {name(page.say('c.acked'))}, "
    sql = f"""
        SELECT a.severity AS {name(page.say("c.level"))}, a.title_{lang} AS
               {name(page.say("c.alert"))}, a.sensor_{lang} AS {name(page.say("c.sensor"))},
               d.title_{lang} AS {name(page.say("c.district"))},
               concat_ws(' ', round(a.value::numeric, coalesce(a.decimals, 1)), nullif(a.unit, '1'))
               AS {name(page.say("c.value"))}, a.raised_at AS {name(page.say("c.since"))},
               {acked}a.stream, a.sensor
        FROM dash.active_alerts(500) a LEFT JOIN dash.districts d ON d.district = a.district
        {where} ORDER BY a.severity, a.raised_at DESC LIMIT {rows_max}"""
    panel = table(
        {
            page.say("c.level"): [*coloured(severity_mapping(lang)), width(90)],
            page.say("c.sensor"): linked(to_sensor(page)),
            page.say("c.since"): clock_column() if brief else time_column(),
            page.say("c.value"): [width(90)],
            page.say("c.district"): [width(75)],
            **({} if brief else acked_column(page)),
        },
        hidden=("stream", "sensor"),
    )
    page.add("active", panel, at, rows(sql), nothing="none")


def active_incidents(
    page: Page, at: At, *, domain: str = "", rows_max: int, brief: bool = False
) -> None:
    """Add the table of open incidents, of one domain if named; ``brief`` for narrow places."""
    lang = page.lang
    acked = "" if brief else f"i.acked_by AS {name(page.say('c.acked'))}, "
    where = f"WHERE i.domain = {literal(domain)}" if domain else ""
    sql = f"""
        SELECT i.severity AS {name(page.say("c.level"))}, i.title_{lang} AS
               {name(page.say("c.incident"))}, d.title_{lang} AS {name(page.say("c.district"))},
               i.status AS {name(page.say("c.status"))}, i.alerts AS {name(page.say("c.alerts"))},
               i.opened_at AS {name(page.say("c.since"))}, {acked}i.district, i.stream, i.sensor
        FROM dash.active_incidents(500) i LEFT JOIN dash.districts d ON d.district = i.district
        {where} ORDER BY i.severity, i.opened_at DESC LIMIT {rows_max}"""
    panel = table(
        {
            page.say("c.level"): [*coloured(severity_mapping(lang)), width(90)],
            page.say("c.incident"): linked(to_sensor(page)),
            page.say("c.district"): [*linked(to_district(page)), width(90)],
            page.say("c.status"): [mapping_prop(incident_mapping(lang)), width(90)],
            page.say("c.alerts"): [*number("none", 0), width(60)],
            page.say("c.since"): clock_column() if brief else time_column(),
            **({} if brief else acked_column(page)),
        },
        hidden=("district", "stream", "sensor"),
    )
    page.add("incidents", panel, at, rows(sql), nothing="none")


def freshness(page: Page, at: At, domain: str = "") -> None:
    """Add the table of streams with their sensors online and the age of the newest reading."""
    lang = page.lang
    where = f"WHERE f.domain = {literal(domain)}" if domain else ""
    sql = f"""
        SELECT s.level AS {name(page.say("c.state"))}, f.title_{lang} AS
               {name(page.say("c.stream"))}, f.fresh AS {name(page.say("c.online"))}, f.sensors AS
               {name(page.say("c.total"))}, f.age_s AS {name(page.say("c.age"))}, p.page
        FROM dash.freshness() f
        LEFT JOIN {stream_pages(lang)} ON p.stream = f.stream
        JOIN dash.states s ON s.state = dash.data_state(f.sensors, f.fresh, f.never)
        {where} ORDER BY s.state = 'normal', f.domain, f.stream LIMIT 200"""
    panel = table(
        {
            page.say("c.state"): [*coloured(level_mapping(lang)), width(110)],
            page.say("c.stream"): linked(to_page(page)),
            page.say("c.online"): [*number("none", 0), width(70)],
            page.say("c.total"): [*number("none", 0), width(70)],
            page.say("c.age"): [*number(DURATION, 0), width(100)],
        },
        hidden=("page",),
    )
    page.add("freshness", panel, at, rows(sql))


def sensors(page: Page, at: At, stream: Stream, *, rows_max: int = 200) -> None:
    """Add the table of a stream's sensors, worst first, of the chosen district."""
    lang, shown = page.lang, stream.quantity(stream.headline)
    sql = f"""
        SELECT t.level AS {name(page.say("c.state"))}, s.title_{lang} AS
               {name(page.say("c.sensor"))}, s.value AS {name(page.say("c.value"))},
               s.age_s AS {name(page.say("c.age"))}, s.street AS {name(page.say("c.street"))},
               s.stream, s.sensor
        FROM dash.sensor_states({literal(stream.name)}) s JOIN dash.states t ON t.state = s.state
        WHERE ${{district:sqlstring}} IN ('all', s.district)
        ORDER BY t.level DESC, s.sensor LIMIT {rows_max}"""
    panel = table(
        {
            page.say("c.state"): [*coloured(level_mapping(lang)), width(110)],
            page.say("c.sensor"): linked(to_sensor(page)),
            page.say("c.value"): [
                *number(unit(shown.unit), shown.decimals),
                *(mapping_prop(one) for one in names_mapping(stream, stream.headline, lang)),
                width(110),
            ],
            page.say("c.age"): [*number(DURATION, 0), width(90)],
        },
        hidden=("stream", "sensor"),
    )
    page.add("worst", panel, at, rows(sql), act=page.say("trend.a"))


def city_sensors(page: Page, at: At, *, domain: str = "", stream: str = "") -> None:
    """Add the map of sensors, of one domain or stream if named."""
    lang = page.lang
    where = f"WHERE s.domain = {literal(domain)}" if domain else ""
    source = f"dash.sensor_states({literal(stream)})" if stream else "dash.sensor_states()"
    sql = f"""
        SELECT s.lon, s.lat, t.level, s.title_{lang} AS {name(page.say("c.sensor"))},
               concat_ws(' ', round(s.value::numeric, s.decimals), nullif(s.unit, '1'))
               AS {name(page.say("c.value"))}, s.stream, s.sensor
        FROM {source} s JOIN dash.states t ON t.state = s.state
        {where} ORDER BY t.level, s.sensor LIMIT 5000"""
    districts = f"""
        SELECT d.lon, d.lat, t.level, d.title_{lang} AS {name(page.say("c.district"))},
               concat_ws('/', d.fresh, d.sensors) AS {name(page.say("c.online"))},
               d.alerts AS {name(page.say("c.alerts"))}, d.district
        FROM dash.district_states(nullif({literal(domain)}, ''), nullif({literal(stream)}, '')) d
             JOIN dash.states t ON t.state = d.worst
        WHERE d.sensors > 0 ORDER BY t.level, d.district LIMIT 100"""
    panel = sensor_map(lang, page.say("c.district"))
    panel.override_by_name("level", [prop("displayName", page.say("c.state"))])
    for column in ("lon", "lat", "stream", "sensor", "district"):
        panel.override_by_name(
            column, [prop("custom.hideFrom", {"legend": True, "tooltip": True, "viz": False})]
        )
    panel.override_by_name(page.say("c.sensor"), linked(to_sensor(page)))
    panel.override_by_name(page.say("c.district"), linked(to_district(page)))
    legend = " ".join(f"{one.icon} {page.pick(one.title)}" for one in reversed(STATES) if one.icon)
    title = f"{page.say('map')} · {legend}"
    page.add("map", panel, at, rows(sql), rows(districts, "B"), title=title)


def district_variable(page: Page) -> None:
    """Offer the districts, the whole city first."""
    whole = "全市" if page.lang == "zh" else "All districts"
    query = f"SELECT __text, __value FROM dash.district_choices({literal(page.lang)})"
    page.variable("v.district", query, name="district", current=(whole, "all"))


INCIDENTS, ALERTS = LEVELS[Severity.RED].colour, LEVELS[Severity.ORANGE].colour
WORK, CORRECTED = STALE_COLOUR, BAND


def notes(page: Page, narrowed: str = "", corrections: str = "") -> None:
    """Mark incidents, planned work and corrected windows on the page's time axis.

    Alerts are points, and off until somebody asks for them: in a storm they would cover the charts.

    ``narrowed``: more arguments of ``dash.notes`` (domain, stream, sensor, district);
    ``corrections``: stream and sensor whose corrected windows are shown.
    """
    lang = literal(page.lang)
    shown = 'n."time", n.timeend, n."text", n.tags'
    end = 'n ORDER BY n."time" LIMIT 200'
    alerts = f'SELECT n."time", n."text", n.tags FROM dash.notes({RANGE}, {lang}{narrowed}) {end}'
    incidents = f"SELECT {shown} FROM dash.incident_notes({RANGE}, {lang}{narrowed}) {end}"
    work = f"SELECT {shown} FROM dash.maintenance({RANGE}, {lang}) {end}"
    page.notes = [
        Note("a.incidents", incidents, INCIDENTS),
        Note("a.alerts", alerts, ALERTS, shown=False),
        Note("a.work", work, WORK),
    ]
    if corrections:
        sql = f"""
            SELECT n."time", n."text", n.tags FROM dash.corrections({RANGE}, {lang}, {corrections})
            {end}"""
        page.notes.append(Note("a.corrected", sql, CORRECTED))
