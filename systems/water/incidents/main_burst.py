"""A burst water main: pressure drops while the flow rises, the water comes out cloudy, onto a
road, in one place. Low pressure alone opens a candidate: a pump that stands still does that too."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="main_burst",
    domain="water",
    title=text("供水爆管", "Water main burst"),
    triggers=("water_supply.burst", "water_supply.pressure_low"),
    supports=(
        "water_supply.turbidity",
        "water_supply.chlorine_low",
        "waterlogging.ponding",
        "traffic_link.congestion",
    ),
    place="near",
    radius_km=3.0,
    within_s=1800,
    confirm_rules=2,
    confirm_alerts=2,
    responses=(
        Response(level=Severity.RED, worst=Severity.RED, alerts=6),
        Response(level=Severity.ORANGE, worst=Severity.ORANGE, alerts=3),
        Response(level=Severity.YELLOW, worst=Severity.ORANGE),
        Response(level=Severity.BLUE),
    ),
    plan=text("供水突发事件应急预案", "Plan for water supply emergencies"),
    tasks=(
        Task(
            name="valves",
            title=text("关阀隔离爆管段", "Close valves around the burst"),
            owner="water",
            within_min=30,
        ),
        Task(
            name="road",
            title=text("围挡积水路段", "Fence off the flooded road"),
            owner="traffic",
            within_min=20,
        ),
        Task(
            name="quality",
            title=text("加密水质检测", "Test water quality more often"),
            owner="water",
            within_min=60,
        ),
        Task(
            name="tankers",
            title=text("调度应急供水车", "Send water tankers"),
            owner="water",
            within_min=120,
            level=Severity.ORANGE,
        ),
    ),
)
