"""The week of a kind of record as one page of HTML, to be printed."""

from catalog.lifecycle.kpi import Kpi, Score
from catalog.model import Severity
from catalog.severity import LEVELS
from catalog.site import site, zone
from dashboards.report.page import NONE, number, template, written_date
from dashboards.report.week import Value, Week, scored
from dashboards.texts import pick, say

TEMPLATE = "week.html.j2"


def render_week(week: Week) -> str:
    """Return the page; it needs no other file and no network."""
    lang = week.lang
    return template(TEMPLATE).render(
        week=week,
        city=pick(site().title, lang),
        t=lambda key: say(key, lang),
        pick=lambda item: pick(item, lang),
        dates=f"{written_date(week.monday, lang)} – {written_date(week.sunday, lang)}",
        until=f"{week.until.astimezone(zone()):%m-%d %H:%M}",
        columns=scored(week.record),
        field=lambda name: _field(week, name),
        value=lambda one: written(one.kpi, one.value),
        before=lambda one: written(one.kpi, one.before),
        target=lambda one: written(one.kpi, one.kpi.target),
        reached=lambda one: _reached(week, one),
        number=number,
        stamp=lambda at: f"{at.astimezone(zone()):%m-%d %H:%M}" if at else NONE,
        warning=LEVELS[Severity.ORANGE].colour,
    )


def written(kpi: Kpi | Score, value: float | None) -> str:
    """Return a share in per cent, points as they are; a dash for none."""
    if value is None:
        return NONE
    return number(value, 1) if isinstance(kpi, Score) else f"{number(100 * value, 1)} %"


def _reached(week: Week, one: Value) -> str:
    if one.reached is None:
        return ""
    return say("yes" if one.reached else "no", week.lang)


def _field(week: Week, name: str) -> str:
    declared = week.record.field(name)
    return pick(declared.title, week.lang) if declared else name
