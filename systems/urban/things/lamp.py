"""A street lamp (路灯): what its circuit says, and whether a case names it."""

from catalog.base import Severity, text
from catalog.thing.model import Shown, Thing, ThingAttribute, ThingState, When

THING = Thing(
    name="lamp",
    title=text("路灯", "Street lamp"),
    plural=text("路灯", "Street lamps"),
    icon="light",
    sensors="lamp_circuit",
    attributes=(
        ThingAttribute(name="height_m", title=text("杆高", "Height"), unit="m"),
        ThingAttribute(name="power_w", title=text("功率", "Power"), unit="W"),
    ),
    shows=(
        Shown(
            name="lit", title=text("回路亮灯率", "Lit in its circuit"), reading="lit_pct", unit="%"
        ),
        Shown(name="leak", title=text("回路漏电流", "Leakage"), reading="leak_ma", unit="mA"),
    ),
    states=(
        ThingState(
            name="leaking",
            title=text("回路漏电", "Circuit leaks"),
            when=(When(alert="lamp_circuit.leakage"),),
            severity=Severity.RED,
        ),
        ThingState(
            name="repair",
            title=text("报修中", "Reported, to be mended"),
            when=(When(record="case", by="thing"),),
            severity=Severity.BLUE,
        ),
        ThingState(
            name="circuit",
            title=text("回路异常", "Circuit out of order"),
            when=(When(alert="lamp_circuit.*"),),
            severity=Severity.YELLOW,
        ),
        ThingState(
            name="unknown",
            title=text("回路失联", "Circuit silent"),
            when=(When(silent_s=1800),),
            stale=True,
        ),
        ThingState(name="ok", title=text("正常", "In order")),
    ),
    parent="department",
    parent_id="lighting",
)
