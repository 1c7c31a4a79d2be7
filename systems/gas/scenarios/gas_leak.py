"""An excavator breaks a gas main: methane in the wells near by, pressure lost in the district."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="gas_leak",
    title=text("施工挖断燃气管道", "Gas main broken by digging"),
    forcing="gas_leak",
    size=1.0,
    unit="1",
    natural_s=7200,
    recovery_s=5400,
    duration_s=900,
    where="gas-well-510107-01",
    strikes="gas_well",
    phases=(
        Phase(0.0, text("管道破裂，燃气外泄", "the main breaks; gas escapes")),
        Phase(0.2, text("邻近窨井甲烷上升，调压站压力下降", "methane in wells, pressure falls")),
        Phase(1.0, text("关阀抢修，窨井通风", "valves closed; wells are aired")),
    ),
    watch_s=2400,
)
