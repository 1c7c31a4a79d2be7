"""A drill (演练): an exercise by the real way, which shows how fast people answer.

The database keeps its messages in the exercise channel; see migration 0013.
"""

from catalog.base import text
from catalog.lifecycle.fields import Choice, RecordField
from catalog.lifecycle.record import Due, Move, Opening, Record, Role, State, Told

LEVELS = (
    Choice(name="1", title=text("I 级", "Level I")),
    Choice(name="2", title=text("II 级", "Level II")),
    Choice(name="3", title=text("III 级", "Level III")),
    Choice(name="4", title=text("IV 级", "Level IV")),
)
RECORD = Record(
    name="drill",
    title=text("演练", "Drill"),
    plural=text("演练", "Drills"),
    icon="campaign",
    located="not",
    fields=(
        RecordField(
            name="title", title=text("演练名称", "Title"), longest=200, required=True, fixed=True
        ),
        RecordField(
            name="instruction",
            title=text("演练任务", "Instruction"),
            longest=2000,
            required=True,
            fixed=True,
        ),
        RecordField(
            name="severity",
            title=text("等级", "Level"),
            kind="choice",
            choices=LEVELS,
            default="2",
            fixed=True,
        ),
        RecordField(
            name="receivers",
            title=text("通知对象（空 = 全部演练通道）", "Receivers (none = the exercise channel)"),
            kind="names",
            among="exercise",
            fixed=True,
        ),
        RecordField(
            name="starts_at",
            title=text("开始（空 = 立即）", "Starts (empty = now)"),
            kind="time",
            ahead=True,
            fixed=True,
        ),
        RecordField(
            name="minutes",
            title=text("时长（分钟）", "Minutes"),
            kind="number",
            ge=1,
            le=24 * 60,
            default=30,
            fixed=True,
        ),
    ),
    headline=("title", "instruction"),
    roles=(Role(name="planner", title=text("演练组织者", "Planner")),),
    states=(
        State(name="planned", title=text("待开始", "Planned")),
        State(name="running", title=text("进行中", "Running")),
        State(name="over", title=text("已结束", "Over"), final=True),
        State(name="cancelled", title=text("已取消", "Cancelled"), final=True),
    ),
    opening=Opening(title=text("安排演练", "Plan a drill"), roles=("planner",)),
    moves=(
        Move(
            name="start",
            title=text("开始", "Start"),
            from_states=("planned",),
            to="running",
            roles=("engine",),
            due=Due(field="starts_at"),
        ),
        Move(
            name="end",
            title=text("到时结束", "End"),
            from_states=("running",),
            to="over",
            roles=("engine",),
            due=Due(field="starts_at", plus_min="minutes"),
            reasons=(Choice(name="time_up", title=text("时间到", "Time is up")),),
        ),
        Move(
            name="stop",
            title=text("提前结束", "End now"),
            from_states=("running",),
            to="over",
            roles=("planner",),
            quick=True,
            reasons=(Choice(name="early", title=text("提前结束", "Ended early")),),
        ),
        Move(
            name="cancel",
            title=text("取消", "Cancel"),
            from_states=("planned",),
            to="cancelled",
            roles=("planner",),
            quick=True,
            reasons=(Choice(name="called_off", title=text("取消", "Called off")),),
        ),
    ),
    told=Told(
        receivers="receivers",
        severity="severity",
        events={"start": "started", "end": "ended", "stop": "ended"},
    ),
)
