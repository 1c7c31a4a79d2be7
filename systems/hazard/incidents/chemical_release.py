"""Gas escapes from a tank: detectors around it, the tank's own signals."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="chemical_release",
    domain="hazard",
    title=text("危险化学品泄漏", "Chemical release"),
    triggers=("gas_detector.toxic", "gas_detector.combustible"),
    supports=("tank.pressure", "tank.temp", "tank.level_low", "tank.silent", "gas_detector.silent"),
    place="near",
    radius_km=2.0,
    within_s=1800,
    confirm_rules=2,
    confirm_alerts=2,
    responses=(
        Response(level=Severity.RED, worst=Severity.RED, alerts=3),
        Response(level=Severity.ORANGE, worst=Severity.RED),
        Response(level=Severity.YELLOW, worst=Severity.ORANGE),
        Response(level=Severity.BLUE),
    ),
    plan=text("危险化学品事故应急预案", "Plan for accidents with dangerous chemicals"),
    tasks=(
        Task(
            name="shutoff",
            title=text("切断进料，启动紧急关断", "Shut off; trip the emergency valves"),
            owner="operations",
            within_min=5,
        ),
        Task(
            name="clear",
            title=text("疏散下风向人员", "Clear the people downwind"),
            owner="operations",
            within_min=15,
        ),
        Task(
            name="roads",
            title=text("封闭周边道路", "Close the roads around"),
            owner="traffic",
            within_min=15,
        ),
        Task(
            name="air",
            title=text("厂界与下风向应急监测", "Measure the air at the fence and downwind"),
            owner="environment",
            within_min=30,
        ),
        Task(
            name="hospitals",
            title=text("通知收治医院备床备药", "Warn the hospitals"),
            owner="health",
            within_min=30,
            level=Severity.ORANGE,
        ),
    ),
)
