"""A valve of an ammonia tank breaks: a cloud over the works, the tank loses stock and pressure."""

from catalog.model import text
from simulators.core.scenarios import Phase, Scenario

SCENARIO = Scenario(
    name="toxic_release",
    title=text("氨罐阀门泄漏", "Ammonia escapes from a tank"),
    forcing="release",
    size=1.0,
    unit="1",
    natural_s=600,
    recovery_s=900,
    duration_s=600,
    where="tank-qingbaijiang-nh3-1",
    strikes="tank",
    phases=(
        Phase(0.0, text("阀门破裂，液氨外泄", "the valve breaks; ammonia escapes")),
        Phase(0.15, text("厂区探测器相继报警", "one detector after the other alarms")),
        Phase(1.0, text("堵漏成功，气云消散", "the leak is closed; the cloud thins out")),
    ),
    watch_s=1800,
)
