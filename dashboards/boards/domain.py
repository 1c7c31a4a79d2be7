"""L1, one page per domain: what is abnormal here, and where is it heading?"""

from catalog.headline import in_screen_order
from catalog.registry import systems
from dashboards.boards import parts
from dashboards.boards.states import district_states, stream_states
from dashboards.boards.stream import chart, city_value, to_stream
from dashboards.page import At, Page, row
from dashboards.query import literal
from dashboards.texts import Lang, pick, say

TOP = 13
BLOCK = 8
STRIPS = 12


def domain_page(domain: str, lang: Lang) -> Page:
    """Return the page of one domain in one language."""
    page = Page(
        lang,
        kind="domain",
        name=domain,
        title=pick(systems()[domain].title, lang),
        question=say("domain.q", lang),
        refresh="30s",
        tags=("l1",),
        parent="wall",
    )
    parts.city_sensors(page, At(0, 0, 10, TOP), domain=domain)
    parts.active_alerts(page, At(10, 0, 14, TOP - 5), domain=domain, rows_max=50)
    parts.freshness(page, At(10, TOP - 5, 14, 5), domain)
    streams = [stream for stream in in_screen_order() if stream.domain == domain]
    district_states(page, At(0, TOP, 16, STRIPS), domain=domain)
    stream_states(page, At(16, TOP, 8, STRIPS), streams)
    y = TOP + STRIPS
    for stream in streams:
        page.panels.append(row(page.pick(stream.title), y, f"domain/{stream.name}"))
        down, at = to_stream(page, stream), At(0, y + 1, 5, BLOCK)
        city_value(page, stream, at, to=down, key=f"city/{stream.name}")
        metric = stream.headline
        at = At(5, y + 1, 19, BLOCK)
        chart(page, stream, metric, at, filtered=False, key=f"chart/{stream.name}")
        y += 1 + BLOCK
    parts.notes(page, f", {literal(domain)}")
    return page
