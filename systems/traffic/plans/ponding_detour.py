"""An underpass is under water: signs before it say so at once, until the water is down."""

from catalog.base import Severity, text
from catalog.plan.model import Ahead, Effect, Guard, OnAlert, Plan, Template

PLAN = Plan(
    name="ponding_detour",
    title=text("积水绕行", "Detour round ponding"),
    record="sign_message",
    # 0.27 m: where underpasses are closed, and the network is
    when=(OnAlert(rules=("waterlogging.ponding",), worst=Severity.ORANGE),),
    whom=Ahead(device="sign", network="roads", within_s=600, most=4),
    shows=Template(
        what=text("前方积水 {value} 米", "{value} m of water ahead"),
        where=text("{place}", "{place}, in {km} km"),
        advice=text("请绕行", "Take another way"),
    ),
    mode="auto",  # minutes count, and who reads it in vain has lost a few of them
    priority=14,
    guard=Guard(fresh_s=120),
    answer_s=600,
    show_s=3600,
    effect=Effect(
        stream="traffic_flow", metric="flow_veh_h", within_m=5000, after_s=900, better="less"
    ),
)
