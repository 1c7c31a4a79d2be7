"""A traffic event (交通事件): an accident, a breakdown, works; from the report to the open road."""

from catalog.base import Severity, text
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.fields import Choice, RecordField
from catalog.lifecycle.kpi import Condition, Count, Kpi
from catalog.lifecycle.record import Clock, Move, Near, Opening, Record, Role, State

CATEGORIES = {
    "accident": ("交通事故", "Accident"),
    "breakdown": ("车辆故障", "Broken-down vehicle"),
    "debris": ("路面障碍", "Debris on the road"),
    "works": ("道路施工", "Road works"),
    "closure": ("道路封闭", "Road closed"),
    "congestion": ("异常拥堵", "Unusual congestion"),
}
LANES = {
    "none": ("不占车道", "No lane"),
    "some": ("占用部分车道", "Some lanes"),
    "most": ("占用半数以上车道", "More than half of the lanes"),
    "all": ("全部封闭", "All lanes"),
}
MINUTES = {"confirm": 5.0, "arrive": 15.0, "clear": 60.0}
"""From the report to the confirmation, to the patrol on scene, to open lanes; engineering."""


def _choices(named: dict[str, tuple[str, str]]) -> tuple[Choice, ...]:
    return tuple(Choice(name=name, title=text(*said)) for name, said in named.items())


def _clock(name: str, zh: str, en: str, severity: Severity) -> Clock:
    limit = Limit(amount=MINUTES[name] / 60, unit="urgent_hours")
    return Clock(name=name, title=text(zh, en), limit=limit, severity=severity)


RECORD = Record(
    name="traffic_event",
    title=text("交通事件", "Traffic event"),
    plural=text("交通事件", "Traffic events"),
    icon="car_crash",
    located="must",
    fields=(
        RecordField(
            name="category",
            title=text("类别", "Category"),
            kind="choice",
            choices=_choices(CATEGORIES),
            required=True,
            public=True,
        ),
        RecordField(
            name="lanes",
            title=text("车道影响", "Lanes"),
            kind="choice",
            choices=_choices(LANES),
            default="some",
            public=True,
        ),
        RecordField(name="road", title=text("道路", "Road"), longest=60, public=True),
        RecordField(name="details", title=text("情况", "Details"), longest=500),
    ),
    headline=("category", "road", "address"),
    roles=(Role(name="officer", title=text("指挥员", "Officer")),),
    states=(
        State(name="suspected", title=text("待核实", "Suspected")),
        State(name="confirmed", title=text("已核实", "Confirmed")),
        State(name="on_scene", title=text("处置中", "Patrol on scene")),
        State(name="cleared", title=text("已清除", "Cleared"), final=True),
        State(name="dismissed", title=text("非事件", "Dismissed"), final=True),
    ),
    clocks=(
        _clock("confirm", "核实时限", "To be confirmed", Severity.BLUE),
        _clock("arrive", "到场时限", "Patrol to arrive", Severity.YELLOW),
        _clock("clear", "清除时限", "To be cleared", Severity.YELLOW),
    ),
    opening=Opening(
        title=text("上报事件", "Report an event"), roles=("officer", "engine"), starts=("confirm",)
    ),
    moves=(
        Move(
            name="confirm",
            title=text("核实", "Confirm"),
            from_states=("suspected",),
            to="confirmed",
            roles=("officer",),
            takes=("category", "lanes", "road"),
            stops=("confirm",),
            starts=("arrive", "clear"),
        ),
        Move(
            name="arrive",
            title=text("到场", "Arrive"),
            from_states=("confirmed",),
            to="on_scene",
            roles=("officer",),
            takes=("lanes",),
            stops=("arrive",),
            quick=True,
        ),
        Move(
            name="clear",
            title=text("清除", "Clear"),
            from_states=("confirmed", "on_scene"),
            to="cleared",
            roles=("officer",),
            reasons=(
                Choice(name="removed", title=text("已移除", "Removed")),
                Choice(name="moved_on", title=text("自行离开", "Moved on by itself")),
            ),
            stops=("arrive", "clear"),
            undo_s=300,
        ),
        Move(
            name="dismiss",
            title=text("排除", "Dismiss"),
            from_states=("suspected", "confirmed"),
            to="dismissed",
            roles=("officer", "engine"),
            reasons=(
                Choice(name="false", title=text("误报", "False report")),
                Choice(name="passed", title=text("自行消散", "Passed before anyone looked")),
                Choice(name="known", title=text("重复", "Known already")),
            ),
            stops=("confirm", "arrive", "clear"),
            undo_s=300,
        ),
    ),
    near=Near(same=(), within_m=500, within_h=2),
    public=True,
    kpis=tuple(
        Kpi(
            name=f"{name}_in_time",
            title=text(*said),
            of=Count(when="due", name=name),
            share=(Condition(in_time=name),),
            target=0.9,
        )
        for name, said in (
            ("confirm", ("按时核实率", "Confirmed in time")),
            ("arrive", ("按时到场率", "On scene in time")),
            ("clear", ("按时清除率", "Cleared in time")),
        )
    ),
)
