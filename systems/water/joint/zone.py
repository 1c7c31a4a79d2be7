"""Water zone: pressures and flows of a district's network."""

from catalog.joint import JointRule, Signals
from catalog.model import levels, text

JOINT = JointRule(
    name="zone",
    domain="water",
    title=text("供水分区运行异常", "Water zone behaves unusually"),
    signals=(Signals(stream="water_supply", metrics=("pressure_mpa", "flow_m3_h")),),
    by="district",
    thresholds=levels(blue=4.0),
    advice=text(
        "核查泵站、阀门与水箱的控制指令及实际状态；排查漏损与数据篡改",
        "Compare commands and real states of pumps, valves and tanks; look for leaks and for"
        " tampered data",
    ),
)
