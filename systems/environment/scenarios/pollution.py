"""Stagnant air: particles build up until a front clears it."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="pollution",
    title=text("重污染过程", "Heavy pollution episode"),
    forcing="smog",
    size=230.0,
    unit="µg/m³",
    natural_s=3 * 86400,
    recovery_s=0,
    # the index is of hourly means
    duration_s=5400,
    where="",
    phases=(
        Phase(0.0, text("静稳天气，颗粒物累积", "stagnant air; particles build up")),
        Phase(0.75, text("空气质量达到峰值污染", "the index peaks")),
        Phase(1.0, text("冷空气清除污染", "a front clears the air")),
    ),
    watch_s=5400,
)
