"""Rain over the inner city: underpasses fill, traffic slows."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="rainstorm",
    title=text("城区短时强降雨", "Rainstorm over the inner city"),
    forcing="storm",
    size=75.0,
    unit="mm",
    natural_s=3600,
    recovery_s=5 * 3600,
    duration_s=600,
    where="",
    phases=(
        Phase(0.0, text("雨团自西北移入", "rain cells move in from the north-west")),
        Phase(0.4, text("雨强达到峰值，下穿隧道积水", "peak rain; underpasses fill")),
        Phase(0.75, text("雨团移出城区", "the cells leave the inner city")),
        Phase(1.0, text("雨停，泵站排水，交通恢复", "rain ends; pumps drain; roads reopen")),
    ),
    watch_s=2700,
)
