"""What urban management is measured by: rates by the formulas in use, and a score of a department.

Counters as in published statistics tables of such platforms (CJ/T 292, GB/T 30428.4; texts not
read). What was due counts by its deadline, so that a month-end cannot hide what is late.
"""

from catalog.base import text
from catalog.lifecycle.kpi import Condition, Count, Kpi, Score, Term

NOT_FORCED = Condition(not_moved="force_close")
KPIS = (
    Kpi(
        name="filed",
        title=text("立案率", "Filed"),
        of=Count(when="opened"),
        share=(Condition(moved="file"),),
        source="立案数/上报数",
    ),
    Kpi(
        name="filed_in_time",
        title=text("按时立案率", "Filed in time"),
        of=Count(when="moved", name="file"),
        share=(Condition(in_time="file"),),
        target=0.95,
        source="按时立案数/立案数",
    ),
    Kpi(
        name="disposed",
        title=text("处置率", "Dealt with"),
        of=Count(when="due", name="handle"),
        share=(Condition(stopped="handle"), NOT_FORCED),
        target=0.95,
        source="处置数/应处置数",
    ),
    Kpi(
        name="disposed_in_time",
        title=text("按期处置率", "Dealt with in time"),
        of=Count(when="due", name="handle"),
        share=(Condition(in_time="handle"), NOT_FORCED),
        target=0.9,
        source="按期处置数/应处置数",
    ),
    Kpi(
        name="closed",
        title=text("结案率", "Closed"),
        of=Count(when="due", name="total"),
        share=(Condition(stopped="total"), NOT_FORCED),
        target=0.95,
        source="结案数/应结案数",
    ),
    Kpi(
        name="closed_in_time",
        title=text("按期结案率", "Closed in time"),
        of=Count(when="due", name="total"),
        share=(Condition(in_time="total"), NOT_FORCED),
        target=0.9,
        source="按期结案数/应结案数",
    ),
    Kpi(
        name="rework",
        title=text("返工率", "Rework"),
        of=Count(when="moved", name="feed_back"),
        share=(Condition(moved="rework"),),
        target=0.05,
        better="less",
        source="返工数/至少处置一次数",
    ),
    Kpi(
        name="public_reports",
        title=text("公众举报率", "Reported by the public"),
        of=Count(when="opened", only=(Condition(moved="file"),)),
        share=(Condition(field="source", values=("citizen", "hotline")),),
        source="公众有效上报数/有效上报数",
    ),
    Kpi(
        name="returned",
        title=text("回退率", "Returned by departments"),
        of=Count(when="moved", name="dispatch"),
        share=(Condition(moved="return"),),
        better="less",
        source="回退数/派遣数",
    ),
    Kpi(
        name="passed",
        title=text("核查通过率", "Passed at the first check"),
        of=Count(when="moved", name="check"),
        share=(Condition(moved="pass"), Condition(not_moved="rework")),
        source="一次通过数/核查数",
    ),
    Score(
        name="score",
        title=text("综合得分", "Score"),
        terms=(
            Term(kpi="disposed_in_time", weight=60),
            Term(kpi="closed", weight=30),
            Term(kpi="rework", weight=10, rest=True),
        ),
        target=85,
        source="60×按期处置率＋30×结案率＋10×(1－返工率)",
    ),
)
