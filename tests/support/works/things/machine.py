"""A machine, out of order while an open repair names it."""

from catalog.base import text
from catalog.thing.model import Placed, Thing, ThingState, When

THING = Thing(
    name="machine",
    title=text("机器", "Machine"),
    plural=text("机器", "Machines"),
    states=(
        ThingState(
            name="given",
            title=text("维修中", "Being mended"),
            when=(When(record="repair", by="what", states=("given",)),),
        ),
        ThingState(name="ok", title=text("正常", "In order")),
    ),
    placed=(Placed(id="pump", title=text("泵", "Pump")),),
)
