"""A hand-over (交接班): what the next shift must know, signed by somebody of it.

Whoever wrote it cannot sign it. The platform's own lists (open alerts, incidents, tasks) are not
copied into it: they are what the next shift sees anyway.
"""

from catalog.base import Severity, text
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.fields import Choice, RecordField
from catalog.lifecycle.record import Clock, Move, Opening, Record, Role, State
from catalog.site import site

RECORD = Record(
    name="handover",
    title=text("交接班", "Hand-over"),
    plural=text("交接班", "Hand-overs"),
    icon="published_with_changes",
    located="not",
    fields=(
        RecordField(
            name="post",
            title=text("岗位", "Post"),
            kind="choice",
            choices=tuple(Choice(name=n, title=title) for n, title in site().owners.items()),
            required=True,
            fixed=True,
        ),
        RecordField(
            name="summary",
            title=text("本班运行情况", "How the shift went"),
            longest=2000,
            required=True,
            fixed=True,
        ),
        RecordField(
            name="open_items",
            title=text("待办事项", "What is left to do"),
            longest=2000,
            required=True,
            fixed=True,
        ),
        RecordField(name="remark", title=text("接班意见", "Remark"), longest=500),
    ),
    headline=("post", "open_items"),
    roles=(Role(name="officer", title=text("值班员", "Duty officer")),),
    states=(
        State(name="given", title=text("待接班", "To be signed")),
        State(name="signed", title=text("已接班", "Signed"), final=True),
        State(name="withdrawn", title=text("已撤回", "Withdrawn"), final=True),
    ),
    clocks=(
        # engineering: a shift changes in a quarter of an hour, and is late after an hour
        Clock(
            name="sign",
            title=text("接班时限", "To be signed"),
            limit=Limit(amount=1, unit="urgent_hours"),
            severity=Severity.BLUE,
        ),
    ),
    opening=Opening(title=text("填写交接班", "Hand over"), roles=("officer",), starts=("sign",)),
    moves=(
        Move(
            name="sign",
            title=text("接班签字", "Sign"),
            from_states=("given",),
            to="signed",
            roles=("officer",),
            takes=("remark",),
            stops=("sign",),
            apart=("open",),
            reasons=(
                Choice(name="all_taken", title=text("全部交接清楚", "All is taken over")),
                Choice(name="with_remark", title=text("有保留，见意见", "With a remark")),
            ),
        ),
        Move(
            name="withdraw",
            title=text("撤回", "Withdraw"),
            from_states=("given",),
            to="withdrawn",
            roles=("officer",),
            stops=("sign",),
            reasons=(Choice(name="rewritten", title=text("需重写", "To be written again")),),
        ),
    ),
)
