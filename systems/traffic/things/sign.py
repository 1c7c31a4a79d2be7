"""A variable message sign (诱导屏): what it was found to show, and whether it has power."""

from catalog.base import Severity, text
from catalog.plan.steps import APPROVED, DIFFERS, ENDING, SENT, SHOWN
from catalog.thing.model import Thing, ThingAttribute, ThingState, When


def _message(*states: str) -> When:
    return When(record="sign_message", by="device", states=states)


THING = Thing(
    name="sign",
    title=text("诱导屏", "Road sign"),
    plural=text("诱导屏", "Road signs"),
    icon="campaign",
    sensors="feeder",
    attributes=(
        ThingAttribute(name="lines", title=text("行数", "Lines")),
        ThingAttribute(name="width", title=text("每行字数", "Characters a line")),
    ),
    states=(
        ThingState(
            name="no_power",
            title=text("供电馈线跳闸", "Its feeder has tripped"),
            when=(When(alert="feeder.trip"),),
            severity=Severity.ORANGE,
        ),
        ThingState(
            name="differs",
            title=text("回读不符", "Shows something else"),
            when=(_message(DIFFERS),),
            severity=Severity.YELLOW,
        ),
        ThingState(
            name="working",
            title=text("下发或撤下中", "Being told"),
            when=(_message(APPROVED, SENT, ENDING),),
            severity=Severity.BLUE,
        ),
        ThingState(
            name="shows", title=text("正在显示", "Shows a message"), when=(_message(SHOWN),)
        ),
        ThingState(name="blank", title=text("空闲", "Blank")),
    ),
)
