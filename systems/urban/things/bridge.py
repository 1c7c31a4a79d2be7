"""A bridge (桥梁): what its gauges say, and whether a case names it."""

from catalog.base import Severity, text
from catalog.thing.model import Shown, Thing, ThingState, When

THING = Thing(
    name="bridge",
    title=text("桥梁", "Bridge"),
    plural=text("桥梁", "Bridges"),
    icon="commit",
    sensors="bridge",
    each_sensor=True,
    shows=(
        Shown(
            name="strain", title=text("应变", "Strain"), reading="strain_ue", unit="µε", decimals=0
        ),
        Shown(name="tilt", title=text("倾角", "Tilt"), reading="tilt_deg", unit="°", decimals=2),
    ),
    states=(
        ThingState(
            name="overloaded",
            title=text("超载预警", "Overloaded"),
            when=(When(alert="bridge.load"), When(alert="bridge.tilt")),
            severity=Severity.ORANGE,
        ),
        ThingState(
            name="shaken",
            title=text("异常振动", "Shaken"),
            when=(When(alert="bridge.shock"),),
            severity=Severity.YELLOW,
        ),
        ThingState(
            name="repair",
            title=text("待检修", "To be inspected"),
            when=(When(record="case", by="thing"),),
            severity=Severity.BLUE,
        ),
        ThingState(
            name="unknown", title=text("失联", "Silent"), when=(When(silent_s=1800),), stale=True
        ),
        ThingState(name="ok", title=text("正常", "In order")),
    ),
    parent="department",
    parent_id="roads",
)
