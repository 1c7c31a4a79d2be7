"""A task (任务) of an incident's plan: who does it, by when, and whether it was done.

The platform opens those of the response level that was reached, lets them lapse with the incident,
and takes them up again when it is reopened. Its clock runs from the incident's opening.
"""

from catalog.base import Severity, text
from catalog.incident import incident_kinds
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.fields import Choice, RecordField
from catalog.lifecycle.record import Clock, Move, Opening, Record, Role, State
from catalog.site import site

PLANNED = {
    f"{kind.name}.{t.name}": (kind, t) for kind in incident_kinds().values() for t in kind.tasks
}
RECORD = Record(
    name="task",
    title=text("处置任务", "Task"),
    plural=text("处置任务", "Tasks"),
    icon="task",
    located="not",
    fields=(
        RecordField(
            name="what",
            title=text("任务", "What"),
            kind="choice",
            choices=tuple(
                Choice(name=name, title=task.title, parent=kind.title)
                for name, (kind, task) in PLANNED.items()
            ),
            required=True,
            fixed=True,
        ),
        RecordField(
            name="incident", title=text("事件", "Incident"), longest=40, required=True, fixed=True
        ),
        RecordField(
            name="owner",
            title=text("责任单位", "Owner"),
            kind="choice",
            choices=tuple(Choice(name=n, title=title) for n, title in site().owners.items()),
            required=True,
            fixed=True,
        ),
    ),
    headline=("what", "owner"),
    roles=(
        Role(name="handler", title=text("处置人员", "Handler")),
        Role(
            name="owner",
            title=text("责任单位", "Owner"),
            held_by="nobody",
            scope="owner",
        ),
    ),
    states=(
        State(name="to_do", title=text("待办", "To do")),
        State(name="done", title=text("已完成", "Done"), final=True),
        State(name="lapsed", title=text("已失效", "Lapsed"), final=True),
    ),
    clocks=(
        Clock(
            name="do",
            title=text("完成时限", "To be done"),
            by="what",
            limits={
                name: Limit(amount=task.within_min / 60, unit="urgent_hours")
                for name, (_, task) in PLANNED.items()
            },
            severity=Severity.BLUE,
        ),
    ),
    opening=Opening(title=text("下达任务", "Give a task"), roles=("engine",), starts=("do",)),
    moves=(
        Move(
            name="done",
            title=text("完成", "Done"),
            from_states=("to_do", "lapsed"),
            to="done",
            roles=("owner", "handler"),
            quick=True,
            stops=("do",),
            reasons=(Choice(name="done", title=text("已完成", "Done")),),
        ),
        Move(
            name="lapse",
            title=text("失效", "Lapse"),
            from_states=("to_do",),
            to="lapsed",
            roles=("engine",),
            stops=("do",),
            reasons=(Choice(name="incident_over", title=text("事件已结束", "Incident is over")),),
        ),
        Move(
            name="take_up",
            title=text("恢复", "Take up again"),
            from_states=("lapsed",),
            to="to_do",
            roles=("engine",),
            starts=("do",),
        ),
    ),
    dedupe=("incident", "what"),
)
