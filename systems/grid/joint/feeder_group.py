"""A feeder and what it feeds: voltage, currents and power beside the pumps and pipes below."""

from catalog.joint import JointRule, Signals
from catalog.model import levels, text

JOINT = JointRule(
    name="feeder_group",
    domain="grid",
    title=text("馈线及下级负荷运行异常", "Feeder and what it feeds behave unusually"),
    signals=(
        Signals(stream="feeder", metrics=("ua_kv", "ia_a", "ib_a", "ic_a", "p_mw", "q_mvar")),
        Signals(stream="water_supply", metrics=("flow_m3_h",)),
    ),
    by="parent",
    thresholds=levels(blue=4.0),
    advice=text(
        "核查该馈线的负荷转供、三相不平衡、窃电与表计",
        "Load transferred, phases unbalanced, power stolen, or a meter that is wrong?",
    ),
)
