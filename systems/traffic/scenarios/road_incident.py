"""An accident blocks lanes of a link: a queue stands while more want to pass than can."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="road_incident",
    title=text("交通事故占道", "Accident blocks lanes"),
    forcing="blockage",
    size=0.55,
    unit="1",
    natural_s=2400,
    recovery_s=600,
    duration_s=2400,
    where="traffic-link-510105-01",
    strikes="traffic_link",
    phases=(
        Phase(0.0, text("事故发生，车道被占", "lanes are blocked")),
        Phase(0.1, text("排队形成，车速骤降", "a queue stands; speed falls")),
        Phase(1.0, text("事故清除，排队消散", "lanes are open; the queue dissolves")),
    ),
    watch_s=2400,
)
