"""Heavy rain falls: signs near the gauge ask to slow down when an operator agrees."""

from catalog.base import text
from catalog.plan.model import Guard, Near, OnReading, Plan, Template

PLAN = Plan(
    name="rain_slow",
    title=text("强降雨提示", "Heavy rain"),
    record="sign_message",
    # 0.5 mm in a minute is 30 mm/h: beyond 16 mm/h roads lose 15 % of their speed (engineering)
    when=(OnReading(stream="weather", metric="rain_mm", start=0.5, end=0.1),),
    whom=Near(device="sign", within_km=5, most=3),
    shows=Template(
        what=text("强降雨", "Heavy rain"),
        where=text("沿线路面湿滑", "Wet roads along here"),
        advice=text("减速慢行", "Slow down"),
    ),
    mode="confirm",
    priority=5,
    guard=Guard(fresh_s=600),
    answer_s=900,
    show_s=1800,
)
