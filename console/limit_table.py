"""The limits of a rule as a table: the level each gives and where it is from."""

from datetime import date
from typing import Any

from catalog.early import EarlyRule
from catalog.model import (
    ENGINEERING,
    AnyRule,
    HealthRule,
    JointRule,
    OverdueRule,
    SensorAttribute,
    Source,
    Stream,
    Threshold,
    ThresholdRule,
    UnusualRule,
)
from catalog.unusual import SPREADS
from console.marks import level_mark, number, shown_unit, shown_value
from console.texts import Words
from console.widgets.table import Column

SIGNS = {">": ">", ">=": "≥", "<": "<", "<=": "≤", "==": "="}


def limit_columns(words: Words, *, clause: bool = False) -> list[Column]:
    """Return the columns of a rule's limits; ``clause`` is shown on a narrow screen too."""
    return [
        Column("level", words("alerts.level"), "level"),
        Column("limit", words("alert.limit"), "number"),
        Column("standard", words("alert.standard")),
        Column("clause", words("alert.clause"), hide=not clause),
        Column("verified", words("alert.verified"), hide=True),
    ]


def limit_rows(
    words: Words, stream: Stream, rule: AnyRule, attributes: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return a rule's limits with their sources; ``attributes``: of the sensor they are kept on."""
    if isinstance(rule, OverdueRule | JointRule | EarlyRule):
        return []  # a clock's limits may depend on the record; a group has no stream
    if not isinstance(rule, ThresholdRule | UnusualRule):
        seconds = rule.for_s if isinstance(rule, HealthRule) else rule.after_s
        shown = {"text": f"> {seconds:g}", "unit": "s", "sort": seconds}
        limits = [(rule.severity, shown, ENGINEERING, "")]
    else:
        limits = [
            (
                limit.severity,
                _limit(words, stream, rule, limit, attributes),
                limit.source,
                _when(words, limit),
            )
            for limit in rule.thresholds
            if limit.source.in_force(date.today())
        ]
    return [
        {
            "id": f"{stream.rule_id(rule)}-{n}",
            "level": level_mark(words, severity),
            "limit": shown,
            "standard": words.code("standard", source.standard) + when,
            "clause": words.code("clause", source.clause),
            "verified": words(f"alert.verified_{_checked(source)}"),
        }
        for n, (severity, shown, source, when) in enumerate(limits)
    ]


def _checked(source: Source) -> str:
    if source.verified:
        return "yes"
    return "engineering" if source.standard == ENGINEERING.standard else "no"


def _limit(
    words: Words,
    stream: Stream,
    rule: ThresholdRule | UnusualRule,
    limit: Threshold,
    attributes: dict[str, Any] | None,
) -> Any:
    if isinstance(rule, UnusualRule):
        shown = number(words, float(limit.value), SPREADS, 1)  # pyright: ignore[reportArgumentType]
        return shown | {"text": f"≥ {shown['text']}"}
    quantity, value = stream.quantity(rule.metric), limit.value
    if isinstance(value, SensorAttribute):
        own = (attributes or {}).get(value.attribute)
        if own is None:
            title = next(a.title for a in stream.attributes if a.name == value.attribute)
            offset = f" {value.offset:+g}" if value.offset else ""
            text = f"{SIGNS[rule.op]} {words.of(title)}{offset}"
            return {"text": text, "unit": shown_unit(quantity.unit), "sort": 0}
        value = float(own) + value.offset
    shown = shown_value(words, stream.name, rule.metric, value, quantity.unit, quantity.decimals)
    return shown | {"text": f"{SIGNS[rule.op]} {shown['text']}"}


def _when(words: Words, limit: Threshold) -> str:
    hours = limit.hours
    said = " " + words("alert.hours", from_=hours[0], to=hours[1]) if hours else ""
    return said + (f" {words.pick(*limit.when.words())}" if limit.when else "")
