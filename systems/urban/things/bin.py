"""A litter bin (垃圾箱): every bin that has a sensor is one."""

from catalog.base import Severity, text
from catalog.thing.model import Shown, Thing, ThingState, When

THING = Thing(
    name="bin",
    title=text("垃圾箱", "Litter bin"),
    plural=text("垃圾箱", "Litter bins"),
    icon="delete",
    sensors="bin",
    each_sensor=True,
    shows=(
        Shown(
            name="fill", title=text("满溢度", "Filling"), reading="fill_pct", unit="%", decimals=0
        ),
        Shown(name="temp", title=text("箱内温度", "Inside"), reading="temp_c", unit="°C"),
    ),
    states=(
        ThingState(
            name="burning",
            title=text("燃烧", "Burning"),
            when=(When(alert="bin.fire"),),
            severity=Severity.RED,
        ),
        ThingState(
            name="full",
            title=text("满溢", "Full"),
            when=(When(alert="bin.full"),),
            severity=Severity.YELLOW,
        ),
        ThingState(
            name="repair",
            title=text("报修中", "Reported, to be dealt with"),
            when=(When(record="case", by="thing"),),
            severity=Severity.BLUE,
        ),
        ThingState(
            name="unknown", title=text("失联", "Silent"), when=(When(silent_s=7200),), stale=True
        ),
        ThingState(
            name="filling",
            title=text("过半", "More than half full"),
            when=(When(reading="fill_pct", op=">=", value=50),),
        ),
        ThingState(name="ok", title=text("正常", "In order")),
    ),
    parent="department",
    parent_id="sanitation",
)
