"""The body of a webhook: everything a receiver needs to act, in zh and en, with units."""

import msgspec

from catalog.city.districts import DISTRICTS
from catalog.city.sensors import sensor
from catalog.contracts import Transition
from catalog.model import Rule, Severity, Source, Stream, ThresholdRule
from catalog.registry import streams
from catalog.severity import LEVELS


def webhook_body(transition: Transition) -> str:
    """Return Standard Webhooks JSON: ``type``, ``timestamp`` (event time) and ``data``."""
    stream = streams().get(transition.stream)
    data = msgspec.to_builtins(transition) | {"severity": _level(transition.severity)}
    data["sensor"] = _sensor(transition)
    if stream is not None:
        data |= _declared(stream, transition)
    body = {
        "type": f"alert.{transition.kind}",
        "timestamp": transition.observed_at.isoformat(),
        "data": data,
    }
    return msgspec.json.encode(body).decode()


def find_rule(stream: Stream, rule_id: str) -> Rule | None:
    """Return the declaration of a rule by its platform-wide id."""
    return next((rule for rule in stream.rules if stream.rule_id(rule) == rule_id), None)


def _level(severity: int) -> dict[str, object]:
    level = LEVELS[Severity(severity)]
    title = level.title.model_dump()
    return {"level": severity, "roman": level.roman, "title": title, "colour": level.colour}


def _sensor(transition: Transition) -> dict[str, object]:
    known = sensor(transition.stream, transition.sensor)
    if known is None:
        return {"id": transition.sensor}
    return {
        "id": known.id,
        "title": known.title.model_dump(),
        "district": known.district,
        "district_title": DISTRICTS[known.district].title.model_dump(),
        "street": known.street,
        "lon": known.lon,
        "lat": known.lat,
    }


def _declared(stream: Stream, transition: Transition) -> dict[str, object]:
    rule = find_rule(stream, transition.rule)
    told: dict[str, object] = {"domain": stream.domain}
    if transition.metric:
        told["unit"] = stream.quantity(transition.metric).unit
    if rule is not None:
        told |= {"title": rule.title.model_dump(), "advice": rule.advice.model_dump()}
    if isinstance(rule, ThresholdRule):
        told["source"] = _source(rule, transition.severity)
    return told


def _source(rule: ThresholdRule, severity: int) -> dict[str, object] | None:
    found = [t.source for t in rule.thresholds if t.severity == severity]
    if not found:
        return None
    source: Source = found[-1]
    return {
        "standard": source.standard,
        "clause": source.clause,
        "verified": source.verified,
    }
