"""A feeder without voltage, and the pumps, signals and sensors below it that fall silent."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="power_outage",
    domain="grid",
    title=text("停电事件", "Power outage"),
    triggers=("feeder.trip",),
    supports=(
        "*.silent",
        "traffic_flow.standstill",
        "water_supply.pressure_low",
        "waterlogging.ponding",
    ),
    place="topology",
    within_s=900,
    confirm_rules=2,
    confirm_alerts=2,
    fold=True,
    responses=(
        Response(level=Severity.RED, alerts=20),
        Response(level=Severity.ORANGE, alerts=10),
        Response(level=Severity.YELLOW, alerts=3),
        Response(level=Severity.BLUE),
    ),
    plan=text("配网故障处置方案", "Distribution network fault plan"),
    tasks=(
        Task(
            name="isolate",
            title=text("隔离故障段并转供", "Isolate the fault and transfer supply"),
            owner="grid",
            within_min=15,
        ),
        Task(
            name="crossings",
            title=text("停电路口派员疏导", "Send officers to dark crossings"),
            owner="traffic",
            within_min=20,
        ),
        Task(
            name="pumps",
            title=text("检查下级泵站备用电源", "Check standby power of pump stations below"),
            owner="drainage",
            within_min=15,
        ),
        Task(
            name="hospitals",
            title=text("核实医院与重要用户供电", "Check hospitals and vital customers"),
            owner="operations",
            within_min=20,
            level=Severity.YELLOW,
        ),
        Task(
            name="notice",
            title=text("发布停电信息", "Publish the outage"),
            owner="operations",
            within_min=30,
            level=Severity.YELLOW,
        ),
    ),
)
