"""One rain that floods several districts at once: the parent of their waterloggings."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="rainstorm",
    domain="water",
    title=text("暴雨内涝", "Flooding by one rainstorm"),
    gathers=("waterlogging",),
    because=("weather.rain_*",),
    place="city",
    within_s=7200,
    reopen_s=3600,
    responses=(
        Response(level=Severity.RED, worst=Severity.ORANGE, alerts=4),
        Response(level=Severity.ORANGE, worst=Severity.YELLOW, alerts=4),
        Response(level=Severity.YELLOW, worst=Severity.BLUE, alerts=2),
        Response(level=Severity.BLUE),
    ),
    plan=text("城市防汛应急预案", "Plan for floods in the city"),
    tasks=(
        Task(
            name="consult",
            title=text("会商雨情与水情，统筹各区力量", "Confer on rain and water; assign forces"),
            owner="operations",
            within_min=20,
        ),
        Task(
            name="reserve",
            title=text("跨区调配泵车与抢险队伍", "Move pumps and crews between districts"),
            owner="drainage",
            within_min=40,
            level=Severity.YELLOW,
        ),
        Task(
            name="warn",
            title=text("向公众发布避险提示", "Warn the public"),
            owner="operations",
            within_min=30,
            level=Severity.ORANGE,
        ),
    ),
)
