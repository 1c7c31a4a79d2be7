"""The record of what a plan proposes: its states and moves, the same for every kind of device.

A system declares ``RECORD = advice(...)`` in its ``records/``. People approve, reject and withdraw;
all else is moved by the platform, which alone knows what was sent and read back.
"""

from catalog.base import Severity, Text, text
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.fields import Choice, RecordField
from catalog.lifecycle.kpi import Condition, Count, Kpi
from catalog.lifecycle.record import ENGINE, Clock, Move, Opening, Record, Role, State

VERIFY_MIN = 2.0
"""From the approval until the device is read back with it; engineering."""
OVER_MIN = 2.0
"""From the end of the cause until the device is read back without it; engineering."""

PROPOSED, APPROVED, SENT, SHOWN = "proposed", "approved", "sent", "shown"
DIFFERS, ENDING = "differs", "ending"
LAPSED, REJECTED, ENDED = "lapsed", "rejected", "ended"
ON_DEVICE = (SENT, SHOWN, DIFFERS)
"""States in which a device was told to show it."""


def _minutes(amount: float) -> Limit:
    return Limit(amount=amount / 60, unit="urgent_hours")


def _reasons(**named: tuple[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(name=name, title=text(*said)) for name, said in named.items())


OVER = {
    "cause_over": ("原因已消除", "The cause is over"),
    "expired": ("显示期限已到", "Its time is up"),
    "unwell": ("数据异常", "Its data is unwell"),
}
LAPSES = _reasons(
    **OVER,
    not_answered=("无人处置", "Nobody has answered"),
    refused=("设备拒绝", "The device has refused it"),
    no_address=("设备未接入", "The device has no address"),
)
REJECTS = _reasons(
    wrong=("内容有误", "It is wrong"),
    not_needed=("不需要", "Not needed"),
    elsewhere=("已另行处置", "Done by other means"),
)
ENDS = _reasons(
    withdrawn=("人工撤下", "Withdrawn by a person"),
    **OVER,
    replaced=("被更高优先级替换", "Another of higher priority is shown"),
    lost=("设备丢失内容", "The device has lost it"),
)
ENDINGS = (*ENDS, *_reasons(advised=("已告知", "Told")))
"""Why it has ended: as ``end`` said."""
ANSWERED = frozenset(
    {*(r.name for r in REJECTS), "withdrawn", "not_answered", "advised", "refused"}
)
"""Ends after which the same is not proposed again for as long as it would have been shown."""


def _field(name: str, zh: str, en: str, **more: object) -> RecordField:
    return RecordField.model_validate({"name": name, "title": {"zh": zh, "en": en}, **more})


FIELDS = (
    _field("plan", "预案", "Plan", longest=40, required=True, fixed=True),
    _field("device", "设备", "Device", longest=60, required=True, fixed=True),
    _field("cause", "原因", "Cause", longest=200, required=True, fixed=True),
    _field("message", "显示内容", "Shown", longest=1000, required=True, fixed=True, public=True),
    _field("message_en", "英文内容", "In English", longest=1000, fixed=True, public=True),
    _field("priority", "优先级", "Priority", kind="integer", required=True, fixed=True),
    _field("made_from", "依据", "Made from", longest=500, required=True, fixed=True),
    _field("confidence", "可信度", "Confidence", longest=40, fixed=True),
    _field("cause_at", "原因时间", "Cause at", kind="time", fixed=True),
    _field("until", "显示至", "Shown until", kind="time"),
    _field("told", "回读", "Read back", longest=500),
    _field("before", "处置前", "Before", kind="number"),
    _field("after", "处置后", "After", kind="number"),
)
MOVES = (
    Move(
        name="approve",
        title=text("批准", "Approve"),
        from_states=(PROPOSED,),
        to=APPROVED,
        roles=("approver", ENGINE),
        starts=("verify",),
        quick=True,
    ),
    Move(
        name="reject",
        title=text("否决", "Reject"),
        from_states=(PROPOSED,),
        to=REJECTED,
        roles=("approver",),
        reasons=REJECTS,
    ),
    Move(
        name="lapse",
        title=text("失效", "Lapse"),
        from_states=(PROPOSED, APPROVED),
        to=LAPSED,
        roles=(ENGINE,),
        reasons=LAPSES,
        takes=("told",),
        stops=("verify",),
    ),
    Move(
        name="send",
        title=text("下发", "Send"),
        from_states=(APPROVED,),
        to=SENT,
        roles=(ENGINE,),
        needs=("until",),
        takes=("before",),
    ),
    Move(
        name="show",
        title=text("回读一致", "Verify"),
        from_states=(SENT, DIFFERS),
        to=SHOWN,
        roles=(ENGINE,),
        takes=("told",),
        stops=("verify",),
    ),
    Move(
        name="differ",
        title=text("回读不符", "Deviate"),
        from_states=(SENT, SHOWN),
        to=DIFFERS,
        roles=(ENGINE,),
        needs=("told",),
    ),
    Move(
        name="measure",
        title=text("效果评估", "Measure"),
        from_states=(*ON_DEVICE, ENDING),
        roles=(ENGINE,),
        needs=("after",),
    ),
    Move(
        name="end",
        title=text("撤下", "Withdraw"),
        from_states=ON_DEVICE,
        to=ENDING,
        roles=("approver", ENGINE),
        reasons=ENDS,
        stops=("verify",),
        starts=("over",),
    ),
    Move(
        name="close",
        title=text("结束", "Close"),
        from_states=(APPROVED, ENDING),
        to=ENDED,
        roles=(ENGINE,),
        reasons=ENDINGS,
        takes=("told",),
        stops=("verify", "over"),
    ),
)
STATES = (
    State(name=PROPOSED, title=text("待批准", "Proposed")),
    State(name=APPROVED, title=text("待下发", "Approved")),
    State(name=SENT, title=text("已下发", "Sent")),
    State(name=SHOWN, title=text("已显示", "Shown")),
    State(name=DIFFERS, title=text("回读不符", "Deviates")),
    State(name=ENDING, title=text("撤下中", "Being withdrawn")),
    State(name=LAPSED, title=text("已失效", "Lapsed"), final=True),
    State(name=REJECTED, title=text("已否决", "Rejected"), final=True),
    State(name=ENDED, title=text("已结束", "Ended"), final=True),
)
CLOCKS = (
    Clock(
        name="verify",
        title=text("显示核实时限", "To be verified"),
        limit=_minutes(VERIFY_MIN),
        severity=Severity.YELLOW,
    ),
    Clock(
        name="over",
        title=text("撤下核实时限", "To be taken down"),
        limit=_minutes(OVER_MIN),
        severity=Severity.YELLOW,
    ),
)
KPIS = (
    Kpi(
        name="verified_in_time",
        title=text("按时显示率", "Verified in time"),
        of=Count(when="due", name="verify"),
        share=(Condition(in_time="verify"),),
        target=0.9,
    ),
    Kpi(
        name="gone_in_time",
        title=text("按时撤下率", "Taken down in time"),
        of=Count(when="due", name="over"),
        share=(Condition(in_time="over"),),
        target=1.0,
    ),
    Kpi(
        name="approved",
        title=text("采纳率", "Approved"),
        of=Count(when="opened"),
        share=(Condition(moved="approve"),),
    ),
)


def advice(name: str, title: Text, plural: Text, icon: str = "campaign") -> Record:
    """Return the record of what plans propose to one kind of device."""
    return Record(
        name=name,
        title=title,
        plural=plural,
        icon=icon,
        fields=FIELDS,
        headline=("message", "device"),
        roles=(Role(name="approver", title=text("批准人", "Approver")),),
        states=STATES,
        clocks=CLOCKS,
        opening=Opening(title=text("提出", "Propose"), roles=(ENGINE,)),
        moves=MOVES,
        dedupe=("plan", "cause", "device"),
        kpis=KPIS,
    )
