"""A gas leak: methane in a well, in others near by, and pressure lost at the station."""

from catalog.incident import IncidentKind, Response, Task
from catalog.model import Severity, text

INCIDENT = IncidentKind(
    name="gas_leak",
    domain="gas",
    title=text("燃气泄漏", "Gas leak"),
    triggers=("gas_well.methane",),
    supports=("gas_station.outlet_low", "gas_station.inlet_low"),
    place="near",
    radius_km=3.0,
    within_s=3600,
    confirm_rules=2,
    confirm_alerts=2,
    responses=(
        Response(level=Severity.RED, worst=Severity.RED, alerts=3),
        Response(level=Severity.ORANGE, worst=Severity.RED),
        Response(level=Severity.YELLOW, worst=Severity.ORANGE),
        Response(level=Severity.BLUE),
    ),
    plan=text("燃气事故应急预案", "Plan for gas emergencies"),
    tasks=(
        Task(
            name="crew",
            title=text("派抢修队到场复测定级", "Send the crew; measure and grade the leak"),
            owner="gas",
            within_min=30,
        ),
        Task(
            name="cordon",
            title=text("设警戒区，禁火断电", "Close off the area: no fire, no switching"),
            owner="operations",
            within_min=15,
        ),
        Task(
            name="valves",
            title=text("关闭上下游阀门", "Close the valves on both sides"),
            owner="gas",
            within_min=40,
        ),
        Task(
            name="road",
            title=text("封闭周边道路并绕行", "Close the roads near by; divert traffic"),
            owner="traffic",
            within_min=20,
            level=Severity.ORANGE,
        ),
        Task(
            name="evacuate",
            title=text("疏散周边居民", "Evacuate the houses near by"),
            owner="operations",
            within_min=30,
            level=Severity.ORANGE,
        ),
    ),
)
