"""How the main roads run, for maps: GeoJSON.

The grades are those of delay-time proportions 0.3, 0.5, 0.6 and 0.7 (GB/T 33171-2016, App. C).
"""

from catalog.base import text
from catalog.feed import Feed, Grade, LinkStates

FEED = Feed(
    name="link_states",
    title=text("主干路运行状态", "State of the main roads"),
    shows=LinkStates(
        network="roads",
        grades=(
            Grade(name="free", title=text("畅通", "Free"), least=0.7),
            Grade(name="fair", title=text("基本畅通", "Fair"), least=0.5),
            Grade(name="slow", title=text("轻度拥堵", "Slow"), least=0.4),
            Grade(name="jammed", title=text("中度拥堵", "Jammed"), least=0.3),
            Grade(name="blocked", title=text("严重拥堵", "Hardly moving"), least=0.0),
        ),
    ),
    ttl_s=60,
    licence="CC-BY-4.0",
)
