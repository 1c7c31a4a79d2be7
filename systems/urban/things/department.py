"""A department (责任单位): who cases are given to. Overdue while one of them is."""

from catalog.base import Severity, text
from catalog.thing.model import Placed, Thing, ThingState, When
from systems.urban.subclasses import DEPARTMENTS

AT_WORK = ("dispatched", "handling")
OURS = {"record": "case", "by": "department", "states": AT_WORK}

THING = Thing(
    name="department",
    title=text("责任单位", "Department"),
    plural=text("责任单位", "Departments"),
    icon="groups",
    states=(
        ThingState(
            name="overdue",
            title=text("有超期案卷", "Has overdue cases"),
            when=(When.model_validate({**OURS, "overdue": True}),),
            severity=Severity.YELLOW,
        ),
        ThingState(name="busy", title=text("处置中", "At work"), when=(When.model_validate(OURS),)),
        ThingState(name="free", title=text("空闲", "Free")),
    ),
    placed=tuple(Placed(id=name, title=title) for name, title in DEPARTMENTS.items()),
)
