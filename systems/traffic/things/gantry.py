"""A toll gantry (门架): alive while cars pass it."""

from catalog.base import Severity, text
from catalog.thing.model import Shown, Thing, ThingState, When

THING = Thing(
    name="gantry",
    title=text("门架", "Toll gantry"),
    plural=text("门架", "Toll gantries"),
    icon="toll",
    sensors="gantry",
    each_sensor=True,
    shows=(
        Shown(
            name="passed",
            title=text("最近通行", "Last passage"),
            fact="gantry_passage",
            field="at",
        ),
    ),
    states=(
        ThingState(
            name="failing",
            title=text("收费异常", "Charging fails"),
            when=(When(alert="gantry.*"),),
            severity=Severity.YELLOW,
        ),
        ThingState(
            name="passed",
            title=text("有通行", "Cars pass"),
            when=(When(fact="gantry_passage", within_s=900),),
        ),
        ThingState(name="quiet", title=text("无通行", "No cars")),
    ),
)
