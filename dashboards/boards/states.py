"""Strips of states over time: where, since when, and whether it spreads."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from catalog.model import Stream
from catalog.site import site
from dashboards.looks import level_mapping, level_steps
from dashboards.page import At, Page, drill, uid
from dashboards.panels import link_prop, timeline
from dashboards.query import RANGE, STEP, literal, name, series

POINTS = 72


def stream_states(page: Page, at: At, streams: Sequence[Stream], key: str = "states") -> None:
    """Add one strip per stream, in screen order; each leads to the page of its stream."""
    links = {
        page.pick(one.title): drill(page.pick(one.title), uid("stream", one.name, page.lang))
        for one in streams
    }
    named = [(page.pick(one.title), one.name) for one in streams]
    _strips(page, at, key, "stream", named, links)


def district_states(page: Page, at: At, *, stream: str = "", domain: str = "") -> None:
    """Add one strip per district, in screen order, of one stream or domain if named."""
    links = {
        page.pick(one.title): drill(
            page.pick(one.title), uid("district", "", page.lang), f"var-district={one.code}"
        )
        for one in site().districts.values()
    }
    named = [(page.pick(one.title), one.code) for one in site().districts.values()]
    _strips(page, at, "states_district", "district", named, links, domain=domain, stream=stream)


def _strips(
    page: Page,
    at: At,
    key: str,
    by: str,
    named: list[tuple[str, str]],
    links: dict[str, DashboardLink],
    *,
    domain: str = "",
    stream: str = "",
) -> None:
    """Add strips, one column of the query each: columns stay in order, labels would be sorted."""
    columns = ",\n               ".join(
        f"max(s.level) FILTER (WHERE s.key = {literal(value)}) AS {name(title)}"
        for title, value in named
    )
    given = f"nullif({literal(domain)}, ''), nullif({literal(stream)}, '')"
    sql = f"""
        SELECT s."time", {columns}
        FROM dash.state_history({literal(by)}, {RANGE}, {STEP}, {given}) s
        GROUP BY 1 ORDER BY 1 LIMIT 500"""
    panel = timeline(level_steps(), level_mapping(page.lang))
    for title, link in links.items():
        panel.override_by_name(title, [link_prop([link])])
    page.add(key, panel, at, series(sql), min_step="5m", points=POINTS)
