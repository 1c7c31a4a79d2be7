"""Alerts that open cases of urban management: each by a declared rule, as a known subclass."""

from catalog.lifecycle.registry import records
from catalog.model import ThresholdRule
from catalog.registry import streams
from systems.urban.subclasses import BY_CODE

RULES = {
    stream.rule_id(rule): rule
    for stream in streams().values()
    for rule in stream.rules
    if isinstance(rule, ThresholdRule)
}


def test_every_alert_that_opens_a_case_is_of_a_declared_rule() -> None:
    opening = records()["case"].opening.rules
    for one in opening:
        assert one.fields["subclass"] in BY_CODE
        for name in one.rules:
            reached = [limit.severity <= one.worst for limit in RULES[name].thresholds]
            assert any(reached), f"no alert of {name} is bad enough to open a case"
    named = [name for one in opening for name in one.rules]
    assert len(named) == len({*named})


def test_every_stream_of_urban_management_opens_cases() -> None:
    named = {name.split(".")[0] for one in records()["case"].opening.rules for name in one.rules}
    standing = {s.name for s in streams().values() if s.domain == "urban" and not s.position}
    assert standing <= named, "a truck opens no case: it is not what the city looks after"
