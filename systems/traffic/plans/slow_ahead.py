"""A road is jammed: signs before it say so when an operator agrees."""

from catalog.base import Severity, text
from catalog.plan.model import Ahead, Effect, Guard, OnAlert, Plan, Template

PLAN = Plan(
    name="slow_ahead",
    title=text("拥堵提示", "Queue ahead"),
    record="sign_message",
    when=(OnAlert(rules=("traffic_link.congestion",), worst=Severity.ORANGE),),
    whom=Ahead(device="sign", network="roads", within_s=600, most=2),
    shows=Template(
        what=text("前方拥堵", "Queue ahead"),
        where=text("前方 {km} 公里", "{place}, in {km} km"),
        advice=text("减速慢行", "Slow down"),
    ),
    mode="confirm",
    priority=8,
    guard=Guard(fresh_s=300),
    answer_s=900,
    show_s=1800,
    effect=Effect(
        stream="traffic_link", metric="speed_ratio", within_m=3000, after_s=900, better="more"
    ),
)
