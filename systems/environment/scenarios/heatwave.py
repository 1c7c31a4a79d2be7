"""Days of heat: cooling load heats the transformers."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="heatwave",
    title=text("持续高温", "Heatwave"),
    forcing="heat",
    size=42.0,
    unit="°C",
    natural_s=3 * 86400,
    recovery_s=86400,
    duration_s=900,
    where="",
    phases=(
        Phase(0.0, text("气温升至高温红色阈值以上", "air heats past the red heat limit")),
        Phase(0.1, text("空调负荷推高变压器负载与油温", "cooling load heats transformers")),
        Phase(1.0, text("冷空气到达，负荷回落", "cool air arrives; load falls")),
    ),
    watch_s=900,
)
