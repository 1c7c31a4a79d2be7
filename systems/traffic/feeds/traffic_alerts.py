"""What is wrong on the roads, for journey planners: GTFS Realtime ServiceAlerts."""

from catalog.base import text
from catalog.feed import ClosureAlerts, Feed, GtfsAlerts, Kind, RecordAlerts

FEED = Feed(
    name="traffic_alerts",
    title=text("交通信息提示", "Traffic alerts"),
    shows=GtfsAlerts(
        agency="chengdu-traffic",
        of=(
            RecordAlerts(
                record="traffic_event",
                states=("confirmed", "on_scene"),
                by="category",
                kinds={
                    "accident": Kind(cause="ACCIDENT", effect="SIGNIFICANT_DELAYS"),
                    "breakdown": Kind(cause="TECHNICAL_PROBLEM", effect="SIGNIFICANT_DELAYS"),
                    "debris": Kind(cause="OTHER_CAUSE", effect="SIGNIFICANT_DELAYS"),
                    "works": Kind(cause="CONSTRUCTION", effect="SIGNIFICANT_DELAYS"),
                    "closure": Kind(cause="POLICE_ACTIVITY", effect="DETOUR"),
                    "congestion": Kind(cause="UNKNOWN_CAUSE", effect="SIGNIFICANT_DELAYS"),
                },
                severe=("lanes", ("most", "all")),
            ),
            ClosureAlerts(
                network="roads",
                kind=Kind(cause="WEATHER", effect="DETOUR"),
                what=text("道路积水，请绕行", "Road under water, take another way"),
            ),
        ),
    ),
    ttl_s=30,
    licence="CC-BY-4.0",
)
