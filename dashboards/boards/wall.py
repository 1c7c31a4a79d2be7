"""L0, the city wall: is the city fine, and where is it not? Twelve panels at most, no scrolling."""

from catalog.headline import in_screen_order
from catalog.model import Severity
from catalog.severity import LEVELS
from catalog.site import site
from dashboards.boards import parts
from dashboards.boards.states import stream_states
from dashboards.boards.vitals import tiles
from dashboards.looks import PLAIN, platform_steps
from dashboards.page import At, Page, drill, uid
from dashboards.panels import DURATION, number, stat, threshold_props
from dashboards.query import RANGE, name, rows
from dashboards.texts import Lang, pick, say
from dashboards.wall import HOURS, POINTS, REFRESH_S, Row, wall_rows
from storage.views.limits import ONLINE_PCT

HEIGHT = 27
"""Grid rows that fit 1080 pixels in kiosk mode (38 pixels each)."""
TOP = 3
LEFT = 14


def wall_page(lang: Lang) -> Page:
    """Return the wall in one language."""
    page = Page(
        lang,
        kind="wall",
        title=say("wall", lang),
        question=say("wall.q", lang),
        refresh=f"{REFRESH_S}s",
        since=f"now-{HOURS}h",
        tags=("l0",),
    )
    _head(page)
    found = wall_rows()
    height = (HEIGHT - TOP) // len(found)
    for number_, line in enumerate(found):
        _vitals(page, line, At(0, TOP + number_ * height, LEFT, height))
    right = 24 - LEFT
    parts.city_sensors(page, At(LEFT, TOP, right, 9))
    parts.active_incidents(page, At(LEFT, TOP + 9, right, 4), rows_max=10, brief=True)
    parts.active_alerts(page, At(LEFT, TOP + 13, right, 5), rows_max=20, brief=True)
    stream_states(page, At(LEFT, TOP + 18, right, 6), in_screen_order())
    return page


def _head(page: Page) -> None:
    clock = f"SELECT to_char(now() AT TIME ZONE '{site().zone}', 'MM-DD HH24:MI:SS') AS clock"
    page.add(
        "clock",
        stat(fields="/.*/", rows=True),
        At(0, 0, 5, TOP),
        rows(f"{clock} ORDER BY 1"),
        to=[parts.to_tool(page, "platform")],
    )
    severities = stat(names=True, rows=True, fields="/.*/")
    columns = []
    for level in LEVELS.values():
        shown = f"{level.icon} {pick(level.title, page.lang)}"
        columns.append(f"f.{level.severity.name.lower()} AS {name(shown)}")
        severities.override_by_name(shown, threshold_props([*PLAIN, (1, level.colour)]))
    sql = f"SELECT {', '.join(columns)} FROM dash.alert_figures({RANGE}) f ORDER BY 1"
    down = [parts.to_tool(page, "alerts")]
    page.add("severities", severities, At(5, 0, 7, TOP), rows(sql), to=down)
    _online(page)
    _backlog(page)


def _online(page: Page) -> None:
    share, age = page.say("c.pct_online"), page.say("c.age_newest")
    orange = LEVELS[Severity.ORANGE].colour
    panel = stat(names=True, rows=True, fields="/.*/")
    panel.override_by_name(
        share,
        [*number("percent", 1), *threshold_props([(None, orange), (ONLINE_PCT, PLAIN[0][1])])],
    )
    panel.override_by_name(
        age,
        [*number(DURATION, 0), *threshold_props(platform_steps("newest_age_s"))],
    )
    sql = f"""
        SELECT 100.0 * sum(f.fresh) / nullif(sum(f.sensors), 0) AS {name(share)},
               min(f.age_s) AS {name(age)}
        FROM dash.freshness() f ORDER BY 1"""
    page.add("online", panel, At(12, 0, 6, TOP), rows(sql), to=[parts.to_tool(page, "quality")])


def _backlog(page: Page) -> None:
    waiting, dead = page.say("c.undelivered"), page.say("c.dead")
    panel = stat(names=True, rows=True, fields="/.*/")
    for column, figure in ((waiting, "undelivered"), (dead, "dead_letters_open")):
        panel.override_by_name(column, threshold_props(platform_steps(figure)))
    sql = f"""
        SELECT max(p.value) FILTER (WHERE p.name = 'undelivered') AS {name(waiting)},
               max(p.value) FILTER (WHERE p.name = 'dead_letters_open') AS {name(dead)}
        FROM dash.platform() p ORDER BY 1"""
    page.add("backlog", panel, At(18, 0, 6, TOP), rows(sql), to=[parts.to_tool(page, "platform")])


def _vitals(page: Page, line: Row, at: At) -> None:
    signs = [
        (sign, drill(page.pick(sign.stream.title), uid("stream", sign.stream.name, page.lang)))
        for sign in line.vitals
    ]
    panel, targets = tiles(page, signs)
    title = page.pick(line.domain.title)
    page.add(
        f"vitals/{line.domain.name}",
        panel,
        at,
        *targets,
        title=title,
        about=page.say("vitals.d"),
        act=page.say("vitals.a"),
        min_step="1m",
        points=POINTS,
        to=[drill(title, uid("domain", line.domain.name, page.lang))],
    )
