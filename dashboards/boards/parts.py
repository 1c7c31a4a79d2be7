"""Panels that several pages share: alerts, freshness, sensors, maps, variables."""

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from catalog.model import Stream
from dashboards.looks import level_mapping, severity_mapping, unit
from dashboards.maps import sensor_map
from dashboards.page import At, Page, drill, uid
from dashboards.panels import coloured, linked, number, prop, table, time_column, width
from dashboards.query import RANGE, literal, name, rows
from storage.views.metadata import in_screen_order


def to_sensor(page: Page) -> DashboardLink:
    """Return the link from a row with ``stream`` and ``sensor`` to the diagnosis of it."""
    fields = "var-stream=${__data.fields.stream}&var-sensor=${__data.fields.sensor}"
    return drill(page.say("sensor"), uid("sensor", "", page.lang), fields)


def active_alerts(page: Page, at: At, *, domain: str = "", stream: str = "", rows_max: int) -> None:
    """Add the table of open alerts, of one domain or stream if named."""
    wanted = [f"a.domain = {literal(domain)}"] if domain else []
    wanted += [f"a.stream = {literal(stream)}"] if stream else []
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    lang = page.lang
    sql = f"""
        SELECT a.severity AS {name(page.say("c.level"))}, a.title_{lang} AS
               {name(page.say("c.alert"))}, a.sensor_{lang} AS {name(page.say("c.sensor"))},
               d.title_{lang} AS {name(page.say("c.district"))},
               concat_ws(' ', round(a.value::numeric, coalesce(a.decimals, 1)), nullif(a.unit, '1'))
               AS {name(page.say("c.value"))}, a.raised_at AS {name(page.say("c.since"))},
               a.acked_by AS {name(page.say("c.acked"))}, a.stream, a.sensor
        FROM dash.active_alerts(500) a LEFT JOIN dash.districts d ON d.district = a.district
        {where} ORDER BY a.severity, a.raised_at DESC LIMIT {rows_max}"""
    panel = table(
        {
            page.say("c.level"): [*coloured(severity_mapping(lang)), width(90)],
            page.say("c.sensor"): linked(to_sensor(page)),
            page.say("c.since"): time_column(),
            page.say("c.value"): [width(110)],
            page.say("c.district"): [width(90)],
            page.say("c.acked"): [width(90)],
        },
        hidden=("stream", "sensor"),
    )
    panel.no_value(page.say("none"))
    page.add("active", panel, at, rows(sql))


def freshness(page: Page, at: At, domain: str = "") -> None:
    """Add the table of streams with their sensors online and the age of the newest reading."""
    lang = page.lang
    where = f"WHERE f.domain = {literal(domain)}" if domain else ""
    pages = ", ".join(
        f"({literal(s.name)}, {literal(uid('stream', s.name, lang))})" for s in in_screen_order()
    )
    sql = f"""
        SELECT s.level AS {name(page.say("c.state"))}, f.title_{lang} AS
               {name(page.say("c.stream"))}, f.fresh AS {name(page.say("c.online"))}, f.sensors AS
               {name(page.say("c.total"))}, f.age_s AS {name(page.say("c.age"))}, p.page
        FROM dash.freshness() f
        LEFT JOIN (VALUES {pages}) p (stream, page) ON p.stream = f.stream
        JOIN dash.states s ON s.state = dash.data_state(f.sensors, f.fresh, f.never)
        {where} ORDER BY f.domain, f.stream LIMIT 200"""
    panel = table(
        {
            page.say("c.state"): [*coloured(level_mapping(lang)), width(110)],
            page.say("c.stream"): linked(drill(page.say("l.open"), "${__data.fields.page}", "")),
            page.say("c.online"): [*number("none", 0), width(70)],
            page.say("c.total"): [*number("none", 0), width(70)],
            page.say("c.age"): [*number("s", 0), width(100)],
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
            page.say("c.value"): [*number(unit(shown.unit), shown.decimals), width(110)],
            page.say("c.age"): [*number("s", 0), width(90)],
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
    panel = sensor_map(lang)
    panel.override_by_name("level", [prop("displayName", page.say("c.state"))])
    panel.override_by_name(page.say("c.sensor"), linked(to_sensor(page)))
    page.add("map", panel, at, rows(sql))


def district_variable(page: Page) -> None:
    """Offer the districts, the whole city first."""
    whole = "全市" if page.lang == "zh" else "All districts"
    query = f"SELECT __text, __value FROM dash.district_choices({literal(page.lang)})"
    page.variable("v.district", query, name="district", current=(whole, "all"))


def notes(page: Page, *, domain: str = "", stream: str = "", sensor: bool = False) -> None:
    """Mark alerts on the time axis of the page."""
    given = [literal(page.lang), literal(domain) if domain else "NULL"]
    given += [literal(stream) if stream else "NULL"]
    if sensor:
        given = [literal(page.lang), "NULL", "${stream:sqlstring}", "${sensor:sqlstring}"]
    arguments = ", ".join(given)
    page.notes = (
        f'SELECT "time", timeend, "text", tags FROM dash.notes({RANGE}, {arguments})'
        ' ORDER BY "time" LIMIT 200'
    )
