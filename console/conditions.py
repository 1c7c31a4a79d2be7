"""Conditions of a silence in the words of the desk: ``区县=武侯区`` beside ``district=510107``."""

from alerts.event.events import rule_title
from alerts.event.labels import LABELS, Matcher, parse_matcher
from catalog.model import Severity
from catalog.registry import find_rule, streams, systems
from catalog.severity import LEVELS
from catalog.site import site
from console.texts import Words, catalogue


def condition(line: str) -> Matcher:
    """Read one condition, its label and value as people or as the platform name them."""
    found = parse_matcher(_in_labels(line))
    return found.model_copy(update={"value": _value(found)}) if found.op in ("=", "!=") else found


def condition_text(words: Words, matcher: Matcher) -> str:
    """Return a condition as people say it: ``区县 = 武侯区``."""
    name = words.code("label", matcher.name)
    exact = matcher.op in ("=", "!=")
    value = value_title(words, matcher.name, matcher.value) if exact else matcher.value
    return f"{name} {matcher.op} {value}"


def value_title(words: Words, label: str, value: str) -> str:
    """Return what a label's value is called; the value itself where it has no other name."""
    if label == "district" and value in site().districts:
        return words.of(site().districts[value].title)
    if label == "stream" and value in streams():
        return words.of(streams()[value].title)
    if label == "domain" and value in systems():
        return words.of(systems()[value].title)
    if label in ("rule", "alertname") and find_rule(value):
        return words.of(rule_title(value))
    if label == "severity" and value.upper() in Severity.__members__:
        return words.of(LEVELS[Severity[value.upper()]].title)
    return value


def _in_labels(line: str) -> str:
    """Return a line whose label, if it is a name of one, is that label."""
    for label in LABELS:
        for title in catalogue().get(f"label.{label}", {}).values():
            if line.strip().startswith(title):
                return label + line.strip()[len(title) :]
    return line


def _value(matcher: Matcher) -> str:
    """Return the platform's own value for one that people use."""
    named = {
        "district": {code: d.title for code, d in site().districts.items()},
        "stream": {name: s.title for name, s in streams().items()},
        "domain": {name: d.title for name, d in systems().items()},
        "severity": {s.name.lower(): level.title for s, level in LEVELS.items()},
        "rule": {s.rule_id(r): r.title for s in streams().values() for r in s.rules},
    }.get(matcher.name, {})
    fits = [own for own, title in named.items() if matcher.value in (title.zh, title.en)]
    return fits[0] if len(fits) == 1 else matcher.value
