"""One page per kind of record: by state, overdue, time in state, KPIs; all from its declaration."""

from catalog.lifecycle.record import Record
from catalog.model import Severity
from catalog.severity import LEVELS
from dashboards.boards import parts
from dashboards.looks import PLAIN, yes_no_mapping
from dashboards.page import At, Page
from dashboards.panels import (
    DURATION,
    Property,
    coloured,
    lines,
    linked,
    number,
    stat,
    table,
    threshold_props,
    time_column,
    width,
)
from dashboards.query import RANGE, STEP, literal, name, rows, series
from dashboards.texts import Lang, pick, say
from storage.views.kpis import PREFIX
from storage.views.record_rows import groups_of

BY = "${by:sqlstring}"


def record_page(record: Record, lang: Lang) -> Page:
    """Return the page of one kind in one language."""
    page = Page(
        lang,
        kind="record",
        name=record.name,
        title=pick(record.plural, lang),
        question=say("record.q", lang),
        refresh="1m",
        since="now-7d",
        tags=("l1", "tools"),
        parent="wall",
    )
    _figures(page, record)
    _states(page, record)
    _flow(page, record)
    _stays(page, record)
    _queue(page, record)
    if record.kpis:
        _kpis(page, record)
    if record.kpis and groups_of(record):
        _groups(page, record)
    return page


def _figures(page: Page, record: Record) -> None:
    shown = ("open", "overdue", "opened", "closed", "went_overdue")
    keys = ("c.r_open", "c.r_overdue", "c.r_opened", "c.r_closed", "c.r_late")
    columns = ", ".join(
        f"f.{column} AS {name(page.say(key))}" for column, key in zip(shown, keys, strict=True)
    )
    sql = f"""
        SELECT {columns} FROM dash.record_figures({literal(record.name)}, {RANGE}) f ORDER BY 1"""
    panel = stat(names=True, rows=True, fields="/.*/")
    for key in ("c.r_overdue", "c.r_late"):
        panel.override_by_name(page.say(key), _late())
    page.add("r.figures", panel, At(0, 0, 24, 4), rows(sql), to=[parts.to_tool(page, "alerts")])


def _late() -> list[Property]:
    """Return the colour of a number of what is overdue: quiet at none."""
    return threshold_props([*PLAIN, (1, LEVELS[Severity.ORANGE].colour)])


def _states(page: Page, record: Record) -> None:
    sql = f"""
        SELECT s.title_{page.lang} AS {name(page.say("c.state"))},
               s.open AS {name(page.say("c.r_open"))},
               s.overdue AS {name(page.say("c.r_overdue"))},
               s.median_s AS {name(page.say("c.r_median"))},
               s.longest_s AS {name(page.say("c.r_longest"))}
        FROM dash.records_by_state({literal(record.name)}) s
        ORDER BY s.nth LIMIT 100"""
    panel = table(
        {
            page.say("c.r_open"): [*number("none", 0), width(80)],
            page.say("c.r_overdue"): [*number("none", 0), width(90)],
            page.say("c.r_median"): [*number(DURATION, 0), width(130)],
            page.say("c.r_longest"): [*number(DURATION, 0), width(130)],
        }
    )
    page.add("r.states", panel, At(0, 4, 12, 9), rows(sql), to=[parts.to_tool(page, "alerts")])


def _flow(page: Page, record: Record) -> None:
    sql = f"""
        SELECT f."time", f.label AS metric, f.value
        FROM dash.record_flow({literal(record.name)}, {RANGE}, {STEP}, {literal(page.lang)}) f
        ORDER BY f."time", f.label LIMIT 5000"""
    panel = lines(unit="none", decimals=0, bars=True)
    down = [parts.to_tool(page, "alerts")]
    at = At(12, 4, 12, 9)
    page.add("r.flow", panel, at, series(sql), min_step="15m", points=60, to=down)


def _stays(page: Page, record: Record) -> None:
    sql = f"""
        SELECT s.title_{page.lang} AS {name(page.say("c.state"))},
               s.stays AS {name(page.say("c.r_stays"))},
               s.median_s AS {name(page.say("c.r_median"))},
               s.p90_s AS {name(page.say("c.r_p90"))}
        FROM dash.record_stays({literal(record.name)}, {RANGE}) s
        ORDER BY s.nth LIMIT 100"""
    panel = table(
        {
            page.say("c.r_stays"): [*number("none", 0), width(80)],
            page.say("c.r_median"): [*number(DURATION, 0), width(130)],
            page.say("c.r_p90"): [*number(DURATION, 0), width(130)],
        }
    )
    down = [parts.to_tool(page, "alerts")]
    page.add("r.stays", panel, At(0, 13, 10, 9), rows(sql), to=down, nothing="none")


def _queue(page: Page, record: Record) -> None:
    """Add what is overdue, or all that is open where nothing has a deadline."""
    late = bool(record.clocks)
    has_place = record.located != "not"
    shown = f", d.title_{page.lang} AS {name(page.say('c.district'))}, q.district"
    sql = f"""
        SELECT q.record AS {name(page.say("c.r_record"))}, q.what AS {name(page.say("c.r_what"))},
               q.state_title AS {name(page.say("c.state"))}, q.due_at AS
               {name(page.say("c.r_due"))}{shown if has_place else ""}
        FROM dash.record_queue({literal(record.name)}, {str(late).lower()},
                               {literal(page.lang)}, 100) q
        LEFT JOIN dash.districts d ON d.district = q.district
        ORDER BY q.due_at, q.record LIMIT 100"""
    columns = {
        page.say("c.r_record"): [width(120)],
        page.say("c.state"): [width(120)],
        page.say("c.r_due"): time_column(),
    }
    if has_place:
        columns[page.say("c.district")] = [*linked(parts.to_district(page)), width(110)]
    panel = table(columns, hidden=("district",) if has_place else ())
    key = "r.queue" if late else "r.open_list"
    down = () if has_place else [parts.to_tool(page, "alerts")]
    page.add(key, panel, At(10, 13, 14, 9), rows(sql), to=down, nothing="none")


def _value(page: Page) -> str:
    """Return the columns of a value: a share and a score are of different units."""
    return (
        f"CASE WHEN NOT k.is_score THEN 100 * f.value END AS {name(page.say('c.r_share'))},"
        f" CASE WHEN k.is_score THEN f.value END AS {name(page.say('c.r_points'))}"
    )


def _kpis(page: Page, record: Record) -> None:
    sql = f"""
        SELECT k.title_{page.lang} AS {name(page.say("c.r_kpi"))},
               f.met AS {name(page.say("c.r_met"))}, f.counted AS {name(page.say("c.r_counted"))},
               {_value(page)},
               CASE WHEN k.is_score THEN k.target::text ELSE 100 * k.target || ' %' END
               AS {name(page.say("c.r_target"))},
               CASE k.better WHEN 'more' THEN f.value >= k.target ELSE f.value <= k.target END
               AS {name(page.say("c.r_reached"))}
        FROM dash.record_kpis k LEFT JOIN dash.{PREFIX}{record.name}({RANGE}) f ON f.kpi = k.kpi
        WHERE k.kind = {literal(record.name)} ORDER BY k.position LIMIT 100"""
    panel = table(
        {
            page.say("c.r_met"): [*number("none", 0), width(80)],
            page.say("c.r_counted"): [*number("none", 0), width(80)],
            **_value_columns(page),
            page.say("c.r_target"): [width(80)],
            page.say("c.r_reached"): [*coloured(yes_no_mapping(page.lang)), width(110)],
        }
    )
    down = [parts.to_tool(page, "alerts")]
    page.add("r.kpis", panel, At(0, 22, 12, 11), rows(sql), to=down)


def _groups(page: Page, record: Record) -> None:
    first = groups_of(record)[0]
    page.variable(
        "v.by",
        "SELECT __text, __value FROM"
        f" dash.record_group_choices({literal(record.name)}, {literal(page.lang)})",
        name="by",
        current=(pick(first.title, page.lang), first.name),
    )
    kind, lang = literal(record.name), literal(page.lang)
    sql = f"""
        SELECT dash.record_group({kind}, {BY}, f.grouped, {lang}) AS
               {name(page.say("c.r_group"))}, k.title_{page.lang} AS {name(page.say("c.r_kpi"))},
               f.met AS {name(page.say("c.r_met"))}, f.counted AS {name(page.say("c.r_counted"))},
               {_value(page)}
        FROM dash.{PREFIX}{record.name}({RANGE}, {BY}) f
        JOIN dash.record_kpis k ON k.kind = {kind} AND k.kpi = f.kpi
        ORDER BY k.position DESC, f.value, 1 LIMIT 1000"""
    panel = table(
        {
            page.say("c.r_met"): [*number("none", 0), width(80)],
            page.say("c.r_counted"): [*number("none", 0), width(80)],
            **_value_columns(page),
        }
    )
    down = [parts.to_tool(page, "alerts")]
    page.add("r.groups", panel, At(12, 22, 12, 11), rows(sql), to=down)


def _value_columns(page: Page) -> dict[str, list[Property]]:
    return {
        page.say("c.r_share"): [*number("percent", 1), width(90)],
        page.say("c.r_points"): [*number("none", 1), width(80)],
    }
