"""A water main bursts: pressure falls, the road is flooded."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="pipe_burst",
    title=text("供水主管爆裂", "Water main burst"),
    forcing="burst",
    size=1.0,
    unit="1",
    natural_s=600,
    recovery_s=3600,
    duration_s=600,
    where="water-supply-510107-01",
    strikes="water_supply",
    phases=(
        Phase(0.0, text("压力骤降、流量上升、浊度升高", "pressure drops; flow, turbidity up")),
        Phase(0.3, text("路面积水，附近道路变慢", "water on the road; traffic slows nearby")),
        Phase(1.0, text("关阀抢修完成", "valves closed, main repaired")),
    ),
    watch_s=900,
)
