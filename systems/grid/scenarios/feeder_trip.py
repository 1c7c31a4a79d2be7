"""A feeder without voltage: pumps and signals stand still."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="feeder_trip",
    title=text("10 kV 馈线跳闸", "10 kV feeder trip"),
    forcing="outage",
    size=1.0,
    unit="1",
    natural_s=420,
    recovery_s=0,
    duration_s=420,
    where="feeder-510104-01",
    strikes="feeder",
    phases=(
        Phase(0.0, text("馈线失电，下级泵站与信号灯停电", "no voltage; pumps, signals dark")),
        Phase(0.2, text("水压下降，路口拥堵", "water pressure falls; junctions jam")),
        Phase(1.0, text("恢复送电", "power is back")),
    ),
    watch_s=900,
)
