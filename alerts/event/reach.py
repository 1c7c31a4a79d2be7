"""How far a matcher reaches: whether it leaves out any alert that the platform can raise."""

from collections.abc import Iterable
from functools import cache
from typing import get_args

from alerts.event.labels import LABELS, Matcher, severity_name
from catalog.incident import incident_kinds
from catalog.joint import GROUPS, joint_rules
from catalog.lifecycle.registry import RECORDS, overdue_rules
from catalog.model import STREAM_SUBJECT, Severity
from catalog.platform import PLATFORM
from catalog.platform import RULES as PLATFORM_RULES
from catalog.registry import early_rules, stream_rules, streams, systems
from catalog.rules import Concern
from catalog.sensors import sensors
from catalog.site import site

OPEN_ENDED = ("alertname", "rule", "sensor", "street")
"""Labels whose values the catalog does not list in full: an alert may bring another one."""
ELSEWHERE = "external"


def fits_every_alert(matchers: Iterable[Matcher]) -> bool:
    """Tell whether no alert of the platform would be left out by any of the matchers."""
    return all(_fits_all_values(matcher) for matcher in matchers)


def _fits_all_values(matcher: Matcher) -> bool:
    if matcher.op == "!=" and matcher.value and matcher.name in OPEN_ENDED:
        return False
    values = _values().get(matcher.name, ("",))
    return all(matcher.matches({matcher.name: value}) for value in values)


@cache
def _values() -> dict[str, tuple[str, ...]]:
    """Return what each of our labels can hold; any other label is absent, that is empty."""
    placed = sensors()
    rules = (*PLATFORM_RULES, *overdue_rules(), *joint_rules(), *early_rules(), *stream_rules())
    known = {
        "alertname": rules,
        "rule": rules,
        "stream": (*streams(), PLATFORM, RECORDS, GROUPS, ELSEWHERE, ""),
        "domain": (*systems(), ""),
        "sensor": (*(s.id for s in placed), STREAM_SUBJECT),
        "district": (*site().districts, ""),
        "street": (*(s.street for s in placed), ""),
        "severity": tuple(severity_name(level) for level in Severity),
        "incident": (*incident_kinds(), ""),
        "flapping": ("true", "false", ""),
        "origin": ("cityops", ELSEWHERE),
        "concern": get_args(Concern),
    }
    assert known.keys() == set(LABELS)
    return known
