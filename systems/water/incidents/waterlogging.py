"""Water on the road of one district: ponding, the rain before it, slow traffic because of it."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="waterlogging",
    domain="water",
    title=text("城市内涝", "Urban waterlogging"),
    triggers=("waterlogging.ponding",),
    supports=(
        "weather.rain_3h",
        "weather.rain_6h",
        "weather.rain_12h",
        "traffic_link.congestion",
        "traffic_flow.standstill",
        "river_level.flood",
    ),
    place="district",
    within_s=3600,
    reopen_s=3600,
    confirm_rules=2,
    confirm_alerts=2,
    responses=(
        Response(level=Severity.RED, worst=Severity.RED, alerts=5),
        Response(level=Severity.ORANGE, worst=Severity.RED, alerts=2),
        Response(level=Severity.YELLOW, worst=Severity.ORANGE),
        Response(level=Severity.BLUE),
    ),
    plan=text("城市内涝应急预案", "Plan for urban waterlogging"),
    tasks=(
        Task(
            name="close",
            title=text("封闭积水下穿隧道并设警示", "Close flooded underpasses and put up signs"),
            owner="traffic",
            within_min=10,
        ),
        Task(
            name="pump",
            title=text("调派移动泵车", "Send mobile pumps"),
            owner="drainage",
            within_min=30,
        ),
        Task(
            name="detour",
            title=text("发布绕行信息", "Publish a detour"),
            owner="traffic",
            within_min=15,
        ),
        Task(
            name="stations",
            title=text("核查泵站满负荷运行", "Check that pump stations run at full load"),
            owner="drainage",
            within_min=20,
            level=Severity.YELLOW,
        ),
        Task(
            name="evacuate",
            title=text("转移低洼地带人员", "Move people out of low ground"),
            owner="operations",
            within_min=60,
            level=Severity.ORANGE,
        ),
    ),
)
