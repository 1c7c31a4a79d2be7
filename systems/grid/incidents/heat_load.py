"""Heat drives the load: transformers of several districts run hot under air conditioning."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="heat_load",
    domain="grid",
    title=text("高温高负荷", "Heat load"),
    triggers=("transformer.load", "transformer.oil_temp", "transformer.winding_temp"),
    supports=("weather.heat", "feeder.voltage_low", "grid_frequency.deviation"),
    place="city",
    within_s=4 * 3600,
    reopen_s=4 * 3600,
    confirm_rules=2,
    confirm_alerts=3,
    responses=(
        Response(level=Severity.RED, worst=Severity.RED, alerts=3),
        Response(level=Severity.ORANGE, worst=Severity.ORANGE, alerts=3),
        Response(level=Severity.YELLOW, worst=Severity.YELLOW, alerts=3),
        Response(level=Severity.BLUE),
    ),
    plan=text("迎峰度夏有序用电方案", "Plan for orderly use of power in summer"),
    tasks=(
        Task(
            name="transfer",
            title=text("转移重载变压器负荷", "Move load off hot transformers"),
            owner="grid",
            within_min=30,
        ),
        Task(
            name="demand",
            title=text("启动需求响应", "Call on demand response"),
            owner="grid",
            within_min=60,
            level=Severity.YELLOW,
        ),
        Task(
            name="shelters",
            title=text("开放纳凉点并提示防暑", "Open cooling shelters; publish heat advice"),
            owner="health",
            within_min=120,
            level=Severity.ORANGE,
        ),
    ),
)
