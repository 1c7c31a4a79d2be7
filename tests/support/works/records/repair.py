"""A repair that is given to a firm, done, checked and closed."""

from catalog.base import text
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.fields import Choice, RecordField
from catalog.lifecycle.kpi import Condition, Count, Kpi, Score, Term
from catalog.lifecycle.record import (
    Clock,
    Due,  # noqa: F401 - for tests that declare more
    Extension,
    FromRule,
    Move,
    Near,
    Opening,
    Record,
    Role,
    State,
    Told,  # noqa: F401
)

LAMP, PUMP = (
    Choice(name="lamp", title=text("灯", "Lamp")),
    Choice(name="pump", title=text("泵", "Pump")),
)
DONE = Choice(name="mended", title=text("已修复", "Mended"))
WONT = Choice(name="refused", title=text("不予维修", "Will not be mended"))
FIRM = (
    Choice(name="north", title=text("北区公司", "North")),
    Choice(name="south", title=text("南区公司", "South")),
)

RECORD = Record(
    name="repair",
    title=text("维修单", "Repair"),
    plural=text("维修单", "Repairs"),
    fields=(
        RecordField(
            name="what",
            title=text("对象", "Thing"),
            kind="choice",
            choices=(LAMP, PUMP),
            required=True,
            public=True,
        ),
        RecordField(name="text", title=text("描述", "Description"), longest=200, public=True),
        RecordField(name="firm", title=text("公司", "Firm"), kind="choice", choices=FIRM),
        RecordField(name="hours", title=text("时长", "Hours"), kind="number", ge=0, le=100),
        RecordField(name="seen", title=text("复查时间", "Seen at"), kind="time"),
        RecordField(name="photos", title=text("照片", "Photos"), kind="files"),
        RecordField(name="sensor", title=text("传感器", "Sensor"), fixed=True),
        RecordField(name="phone", title=text("电话", "Phone"), fixed=True),
    ),
    headline=("what", "text"),
    roles=(
        Role(name="desk", title=text("派单员", "Desk")),
        Role(name="firm", title=text("公司", "Firm"), held_by="nobody", scope="firm"),
        Role(name="chief", title=text("负责人", "Chief"), held_by="admin"),
    ),
    states=(
        State(name="new", title=text("新建", "New"), public=text("已收到", "Received")),
        State(name="given", title=text("已派", "Given")),
        State(name="waiting", title=text("挂起", "On hold")),
        State(name="done", title=text("已修", "Done")),
        State(name="closed", title=text("关闭", "Closed"), final=True),
    ),
    clocks=(
        Clock(
            name="give", title=text("派单时限", "Give"), limit=Limit(amount=2, unit="working_hours")
        ),
        Clock(
            name="mend",
            title=text("维修时限", "Mend"),
            by="what",
            limits={
                "lamp": Limit(amount=1, unit="natural_days"),
                "pump": Limit(amount=4, unit="urgent_hours"),
            },
        ),
    ),
    opening=Opening(
        title=text("登记", "Register"),
        roles=("desk", "public", "engine"),
        starts=("give",),
        rules=(
            FromRule(
                rules=("noise.*",),
                fields={"what": "lamp"},
                copied={"sensor": "sensor", "lon": "lon", "lat": "lat", "text": "title"},
            ),
        ),
    ),
    moves=(
        Move(
            name="give",
            title=text("派单", "Give"),
            from_states=("new",),
            to="given",
            roles=("desk",),
            needs=("firm",),
            takes=("text",),
            stops=("give",),
            starts=("mend",),
            undo_s=600,
        ),
        Move(
            name="mend",
            title=text("修复", "Mend"),
            from_states=("given",),
            to="done",
            roles=("firm", "desk"),
            takes=("photos", "hours"),
            stops=("mend",),
        ),
        Move(
            name="hold",
            title=text("挂起", "Hold"),
            from_states=("given", "new"),
            to="waiting",
            roles=("desk",),
            pauses=("mend", "give"),
            note=True,
        ),
        Move(
            name="resume",
            title=text("恢复", "Resume"),
            from_states=("waiting",),
            to="back",
            roles=("desk",),
            resumes=("mend", "give"),
        ),
        Move(
            name="longer",
            title=text("延期", "Give more time"),
            from_states=("given",),
            roles=("chief",),
            needs=("hours",),
            extends=(Extension(clock="mend", field="hours"),),
        ),
        Move(
            name="again",
            title=text("返工", "Again"),
            from_states=("done",),
            to="given",
            roles=("desk",),
            starts=("mend",),
        ),
        Move(
            name="remark",
            title=text("备注", "Remark"),
            from_states=("new", "given", "done"),
            roles=("desk", "firm"),
            note=True,
        ),
        Move(
            name="close",
            title=text("结案", "Close"),
            from_states=("done",),
            to="closed",
            roles=("desk",),
            takes=("seen",),
            reasons=(DONE,),
        ),
        Move(
            name="force",
            title=text("强制结案", "Close by force"),
            from_states=("new", "given", "waiting", "done"),
            to="closed",
            roles=("chief",),
            stops=("give", "mend"),
            reasons=(WONT, DONE),
            note=True,
        ),
    ),
    dedupe=("sensor",),
    near=Near(same=("what",), within_m=50, within_h=48),
    public=True,
    kpis=(
        Kpi(
            name="in_time",
            title=text("按期修复率", "Mended in time"),
            of=Count(when="due", name="mend"),
            share=(Condition(moved="mend"), Condition(in_time="mend")),
            target=0.95,
        ),
        Kpi(
            name="rework",
            title=text("返工率", "Rework"),
            of=Count(when="moved", name="mend"),
            share=(Condition(moved="again"),),
            better="less",
        ),
        Score(
            name="score",
            title=text("得分", "Score"),
            terms=(Term(kpi="in_time", weight=90), Term(kpi="rework", weight=10, rest=True)),
        ),
    ),
)
