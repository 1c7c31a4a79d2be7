"""A sanitation truck (环卫车): where it is and what it does, from its readings."""

from catalog.base import Severity, text
from catalog.thing.model import Shown, Thing, ThingState, When

THING = Thing(
    name="truck",
    title=text("环卫车", "Sanitation truck"),
    plural=text("环卫车", "Sanitation trucks"),
    icon="local_shipping",
    sensors="truck",
    each_sensor=True,
    shows=(
        Shown(
            name="speed", title=text("车速", "Speed"), reading="speed_kmh", unit="km/h", decimals=0
        ),
        Shown(name="load", title=text("载重", "Load"), reading="load_t", unit="t"),
    ),
    states=(
        ThingState(
            name="unsafe",
            title=text("超速或超载", "Too fast or overloaded"),
            when=(When(alert="truck.speeding"), When(alert="truck.overloaded")),
            severity=Severity.YELLOW,
        ),
        ThingState(
            name="unknown", title=text("失联", "Silent"), when=(When(silent_s=600),), stale=True
        ),
        ThingState(
            name="working",
            title=text("作业中", "At work"),
            when=(When(reading="sweeping", op="=", value=1),),
        ),
        ThingState(
            name="driving",
            title=text("行驶中", "Driving"),
            when=(When(reading="speed_kmh", op=">", value=1),),
        ),
        ThingState(name="standing", title=text("停放", "Standing")),
    ),
    parent="department",
    parent_id="sanitation",
)
