"""How values are said: with unit and limit, by name, or in usual spreads where unusual."""

from catalog.base import Text
from catalog.joint import JointRule
from catalog.model import Stream, UnusualRule, text
from catalog.registry import find_rule, streams

SPREADS = "×"
"""Stands where a unit does: so many times the usual spread."""
SIDES = {
    "above": text("高于平常", "above the usual"),
    "below": text("低于平常", "below the usual"),
    "both": text("偏离平常", "off the usual"),
}


def alert_unit(rule_id: str, stream: str, metric: str | None) -> str:
    """Return the unit of an alert's value and limit; empty for one without a metric."""
    if isinstance(find_rule(rule_id), UnusualRule | JointRule):
        return SPREADS
    declared = streams().get(stream)
    return declared.quantity(metric).unit if declared and metric else ""


def joint_words(value: float, limit: float) -> Text:
    """Return what a joint rule saw: how far the group is off, and the limit."""
    return text(
        f"整体偏离常态，为常见波动的 {value:.1f} 倍(限值 {limit:g} 倍)",
        f"together {value:.1f} times their usual spread off the usual (limit {limit:g})",
    )


def words_of(rule: UnusualRule, stream: Stream, value: float, limit: float | None) -> Text:
    """Return what an unusual rule saw: which way, how far, over how long."""
    title, side = stream.quantity(rule.metric).title, SIDES[rule.direction]
    minutes = f"{rule.window_s / 60:g}"
    limits = Text(zh="", en="")
    if limit is not None:
        limits = text(f"(限值 {limit:g} 倍)", f" (limit {limit:g})")
    return text(
        f"{title.zh}近 {minutes} 分钟{side.zh}同时段，偏差为常见波动的 {value:.1f} 倍{limits.zh}",
        f"{title.en} {value:.1f} times its usual spread {side.en} for this hour, mean of"
        f" {minutes} min{limits.en}",
    )


def compared(stream: Stream, metric: str, value: float, limit: float | None) -> Text:
    """Return a value with its limit; by its name where the metric's values have names."""
    title = stream.quantity(metric).title
    if named := stream.value_names(metric).get(value):
        return text(f"{title.zh} {named.zh}", f"{title.en} {named.en}")
    own = stream.quantity(metric).unit
    unit = "" if own == "1" else f" {own}"
    said = "" if limit is None else f"{limit:g}{unit}"
    zh = f"{title.zh} {value:g}{unit}" + (f"(限值 {said})" if said else "")
    en = f"{title.en} {value:g}{unit}" + (f" (limit {said})" if said else "")
    return text(zh, en)
