"""Bad air over the city: several stations at once, which no single source explains."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="pollution_episode",
    domain="environment",
    title=text("大气污染过程", "Air pollution episode"),
    triggers=(
        "air_quality.aqi",
        "air_quality.pm25_day",
        "air_quality.pm10_day",
        "air_quality.o3_8h",
    ),
    place="city",
    within_s=6 * 3600,
    reopen_s=12 * 3600,
    confirm_rules=99,
    confirm_alerts=3,
    responses=(
        Response(level=Severity.RED, worst=Severity.RED, alerts=3),
        Response(level=Severity.ORANGE, worst=Severity.ORANGE, alerts=3),
        Response(level=Severity.YELLOW, worst=Severity.YELLOW, alerts=3),
        Response(level=Severity.BLUE),
    ),
    plan=text("重污染天气应急预案", "Plan for heavy air pollution"),
    tasks=(
        Task(
            name="consult",
            title=text("会商研判污染过程", "Consult on cause and duration"),
            owner="environment",
            within_min=60,
        ),
        Task(
            name="advise",
            title=text("发布健康防护提示", "Publish health advice"),
            owner="health",
            within_min=60,
        ),
        Task(
            name="emitters",
            title=text("核查重点排放源减排", "Check that large emitters cut emissions"),
            owner="environment",
            within_min=120,
            level=Severity.YELLOW,
        ),
        Task(
            name="vehicles",
            title=text("启动机动车限行与工地停工", "Limit vehicles and stop building sites"),
            owner="traffic",
            within_min=240,
            level=Severity.ORANGE,
        ),
    ),
)
