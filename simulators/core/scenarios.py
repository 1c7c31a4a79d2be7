"""The scenarios as data: what each forces upon the city, how long by nature, and what it tells."""

from dataclasses import dataclass
from typing import Literal

from catalog.model import Text, text

Forcing = Literal["storm", "heat", "outage", "burst", "smog"]


@dataclass(frozen=True, slots=True)
class Phase:
    """What happens from a share of the duration on (1.0 = the end)."""

    share: float
    story: Text


@dataclass(frozen=True, slots=True)
class Scenario:
    """A course of events. ``size`` at intensity 1 is in ``unit``.

    ``natural_s`` is how long it takes by nature; run in less, its slow physics (water, heat) run
    that much faster, ``recovery_s`` of nature's time beyond its end included.
    """

    name: str
    title: Text
    forcing: Forcing
    size: float
    unit: str
    natural_s: float
    recovery_s: float
    duration_s: float
    where: str
    phases: tuple[Phase, ...]
    watch_s: float
    """How long after its end the alerts of a default run have cleared, rolling sums aside."""


SCENARIOS = {
    s.name: s
    for s in (
        Scenario(
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
                Phase(
                    1.0, text("雨停，泵站排水，交通恢复", "rain ends; pumps drain; roads reopen")
                ),
            ),
            watch_s=2700,
        ),
        Scenario(
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
        ),
        Scenario(
            name="feeder_trip",
            title=text("10 kV 馈线跳闸", "10 kV feeder trip"),
            forcing="outage",
            size=1.0,
            unit="1",
            natural_s=420,
            recovery_s=0,
            duration_s=420,
            where="feeder-510104-01",
            phases=(
                Phase(
                    0.0, text("馈线失电，下级泵站与信号灯停电", "no voltage; pumps, signals dark")
                ),
                Phase(0.2, text("水压下降，路口拥堵", "water pressure falls; junctions jam")),
                Phase(1.0, text("恢复送电", "power is back")),
            ),
            watch_s=900,
        ),
        Scenario(
            name="pipe_burst",
            title=text("供水主管爆裂", "Water main burst"),
            forcing="burst",
            size=1.0,
            unit="1",
            natural_s=600,
            recovery_s=3600,
            duration_s=600,
            where="water-supply-510107-01",
            phases=(
                Phase(
                    0.0, text("压力骤降、流量上升、浊度升高", "pressure drops; flow, turbidity up")
                ),
                Phase(
                    0.3, text("路面积水，附近道路变慢", "water on the road; traffic slows nearby")
                ),
                Phase(1.0, text("关阀抢修完成", "valves closed, main repaired")),
            ),
            watch_s=900,
        ),
        Scenario(
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
        ),
    )
}
