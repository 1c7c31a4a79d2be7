"""A traffic event was confirmed by a person: signs before it say what, where and what to do."""

from catalog.base import text
from catalog.plan.model import Ahead, Guard, OnRecord, Plan, Template

PLAN = Plan(
    name="incident_ahead",
    title=text("事件提示", "Event ahead"),
    record="sign_message",
    when=(OnRecord(record="traffic_event", states=("confirmed", "on_scene"), kind="category"),),
    whom=Ahead(device="sign", network="roads", within_s=600, most=3),
    shows=Template(
        what=text("前方{kind}", "{kind} ahead"),
        where=text("前方 {km} 公里", "In {km} km"),
        advice=text("减速让行", "Slow down and make way"),
    ),
    mode="auto",  # a person has confirmed the event itself
    priority=12,
    guard=Guard(fresh_s=300),
    answer_s=600,
    show_s=3600,
)
