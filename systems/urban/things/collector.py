"""A collector's post (采集岗位): a part of the city that is walked. Posts, not persons."""

from catalog.base import text
from catalog.thing.model import Thing, ThingState, When

THING = Thing(
    name="collector",
    title=text("采集岗位", "Collector's post"),
    plural=text("采集岗位", "Collectors' posts"),
    icon="directions_walk",
    states=(
        ThingState(
            name="checking",
            title=text("核实核查中", "Checking a case"),
            when=(When(record="case", by="collector", states=("verifying", "checking")),),
        ),
        ThingState(name="walking", title=text("巡查中", "On the round")),
    ),
    parent="department",
    parent_id="enforcement",
)
