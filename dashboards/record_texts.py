"""Texts of the boards of records; titles of kinds, states and KPIs are the declarations'."""

from catalog.model import text

TEXTS = {
    "record.q": text(
        "办理到哪一步，是否按时，指标达标吗？",
        "Where does the work stand, is it in time, are the targets met?",
    ),
    "r.figures": text("总览", "Figures"),
    "r.figures.d": text(
        "当前在办与超期；所选时段内新增、办结与新超期。",
        "Open and overdue now; opened, closed and newly overdue in the chosen time.",
    ),
    "r.figures.a": text(
        "超期多时督办责任单位", "If many are overdue, press whoever is responsible"
    ),
    "r.states": text("各状态在办", "Open by state"),
    "r.states.d": text(
        "每个状态的在办数、超期数，以及在该状态已停留的中位与最长时间。",
        "Open and overdue in each state; median and longest time in it so far.",
    ),
    "r.states.a": text("停留最久的状态先催办", "Begin with the state where work waits longest"),
    "r.flow": text("新增、办结与超期", "Opened, closed, overdue"),
    "r.flow.d": text("各时段的数量。", "Counts of each step of time."),
    "r.flow.a": text("新增持续多于办结时增加人手", "More opened than closed for long: add people"),
    "r.stays": text("状态停留时间", "Time in state"),
    "r.stays.d": text(
        "所选时段内离开各状态的次数，停留时间的中位数与九成分位。",
        "Stays that ended in the chosen time: how many, median and 90th percentile.",
    ),
    "r.stays.a": text("与办理时限对照", "Compare with the limits"),
    "r.kpis": text("考核指标", "KPIs"),
    "r.kpis.d": text(
        "所选时段的指标：分子、分母、数值与目标；无可计数时为空。",
        "KPIs of the chosen time: counted, of how many, value and target; empty when none count.",
    ),
    "r.kpis.a": text("未达标者按组查看原因", "Where a target is missed, look at the groups"),
    "r.groups": text("分组指标", "KPIs by group"),
    "r.groups.d": text(
        "按所选字段（区县、责任单位、类别等）分组的指标。",
        "KPIs by the chosen field: district, department, class.",
    ),
    "r.groups.a": text("最低者先约谈", "Begin with the lowest"),
    "r.queue": text("超期在办", "Overdue"),
    "r.queue.d": text("已超期仍在办的，最早到期者在前。", "Open and overdue, first due first."),
    "r.queue.a": text("逐件督办", "Press each of them"),
    "r.open_list": text("在办", "Open"),
    "r.open_list.d": text("在办的，最早到期者在前。", "What is open, first due first."),
    "r.open_list.a": text("逐件处理", "Deal with each of them"),
    "v.by": text("分组", "By"),
    "c.r_open": text("在办", "Open"),
    "c.r_overdue": text("超期", "Overdue"),
    "c.r_opened": text("新增", "Opened"),
    "c.r_closed": text("办结", "Closed"),
    "c.r_late": text("新超期", "Became overdue"),
    "c.r_median": text("中位停留", "Median stay"),
    "c.r_longest": text("最长停留", "Longest stay"),
    "c.r_p90": text("九成分位", "90th percentile"),
    "c.r_stays": text("次数", "Stays"),
    "c.r_kpi": text("指标", "KPI"),
    "c.r_met": text("分子", "Counted"),
    "c.r_counted": text("分母", "Of"),
    "c.r_share": text("占比", "Share"),
    "c.r_points": text("得分", "Points"),
    "c.r_target": text("目标", "Target"),
    "c.r_reached": text("达标", "Target met"),
    "c.r_group": text("分组", "Group"),
    "c.r_record": text("编号", "Number"),
    "c.r_what": text("内容", "What"),
    "c.r_due": text("期限", "Due"),
}
