"""Colours, limits, mappings and units: every one taken from the catalog's tables."""

from collections.abc import Iterable
from datetime import date

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from catalog.headline import margin_attribute
from catalog.model import SensorAttribute, Severity, Stream, ThresholdRule
from catalog.severity import LEVELS, NORMAL_COLOUR, STALE_COLOUR, STATES
from dashboards.texts import Lang, pick, say
from storage.views.limits import coloured_from

UNITS = {"1": "none", "": "none", "%": "percent", "°C": "celsius", "s": "s", "ms": "ms"}
Steps = list[tuple[float | None, str]]
QUIET: Steps = [(None, NORMAL_COLOUR)]
WALL_TEXT = "#D8DEE4"
"""Numbers that are neither good nor bad."""
PLAIN: Steps = [(None, WALL_TEXT)]
TILE = "#2A333B"
"""Ground of a tile that is neither good nor bad."""


def unit(declared: str) -> str:
    """Return Grafana's id for a catalog unit; what it does not know is shown as written."""
    return UNITS.get(declared, f"suffix:{declared}")


def limits(stream: Stream, metric: str) -> Steps:
    """Return the metric's limits in force as colour steps, lowest first; quiet when it has none.

    Limits kept on the sensors and those of certain hours only cannot be one line for all.
    """
    found = [
        (rule.op, float(limit.value), limit.severity)
        for rule in stream.rules
        if isinstance(rule, ThresholdRule) and rule.metric == metric
        for limit in rule.thresholds
        if not isinstance(limit.value, SensorAttribute)
        and limit.is_always
        and rule.op != "=="
        and limit.source.in_force(date.today())
    ]
    return steps(found, PLAIN)


def is_distance(stream: Stream, metric: str) -> bool:
    """Tell whether charts of many sensors show a metric as distance to each sensor's own limit."""
    return stream.overall == "margin" and metric == stream.headline


def level_lines(stream: Stream, metric: str, lang: Lang) -> list[tuple[str, float]]:
    """Return the metric's limits in force as lines: name (icon, comparison, level) and value.

    The name begins with the level's icon, by which ``panels.limit_lines`` knows its colour.
    """
    found = {
        (rule.op, float(limit.value), limit.severity)
        for rule in stream.rules
        if isinstance(rule, ThresholdRule) and rule.metric == metric
        for limit in rule.thresholds
        if not isinstance(limit.value, SensorAttribute)
        and limit.is_always
        and rule.op != "=="
        and limit.source.in_force(date.today())
    }
    if is_distance(stream, metric):
        found |= {
            (rule.op, limit.value.offset, limit.severity)
            for rule in stream.rules
            if isinstance(rule, ThresholdRule) and rule.metric == metric
            for limit in rule.thresholds
            if isinstance(limit.value, SensorAttribute)
            and limit.value.attribute == margin_attribute(stream)
        }
    return [
        (f"{LEVELS[severity].icon} {op} {value:g} {pick(LEVELS[severity].title, lang)}", value)
        for op, value, severity in sorted(found, key=lambda one: (one[2], one[1], one[0]))
    ]


def margin_limits(stream: Stream) -> Steps:
    """Return the limits of a ``margin`` vital sign: distances from the sensors' own limit."""
    attribute = margin_attribute(stream)
    found = [
        (rule.op, limit.value.offset, limit.severity)
        for rule in stream.rules
        if isinstance(rule, ThresholdRule) and rule.metric == stream.headline
        for limit in rule.thresholds
        if isinstance(limit.value, SensorAttribute) and limit.value.attribute == attribute
    ]
    return steps(found, PLAIN)


def vital_limits(stream: Stream) -> Steps:
    """Return the colour steps of the stream's one number on the wall."""
    if stream.overall == "margin":
        return margin_limits(stream)
    return limits(stream, stream.headline) if stream.overall != "sum" else PLAIN


def platform_steps(figure: str) -> Steps:
    """Return the colour steps of a figure of the platform; quiet when it has no limit."""
    edge = coloured_from(figure)
    return PLAIN if edge is None else [*PLAIN, (edge, LEVELS[Severity.ORANGE].colour)]


def steps(found: Iterable[tuple[str, float, Severity]], base: Steps) -> Steps:
    """Return steps from (op, value, severity): above for ``>``, below for ``<``."""
    found = sorted(set(found), key=lambda f: (f[1], -f[2]))
    above = [(value, severity) for op, value, severity in found if op in (">", ">=")]
    below = [(value, severity) for op, value, severity in found if op in ("<", "<=")]
    edges: Steps = list(base)
    if below:
        edges = [(None, LEVELS[below[0][1]].colour)]
        after = [LEVELS[severity].colour for _, severity in below[1:]] + [base[0][1]]
        edges += [(value, colour) for (value, _), colour in zip(below, after, strict=True)]
    return edges + [(value, LEVELS[severity].colour) for value, severity in above]


def thresholds(chosen: Steps) -> build.ThresholdsConfig:
    """Return colour steps as the SDK's builder."""
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in chosen])
    )


def names_mapping(stream: Stream, metric: str, lang: Lang) -> list[model.ValueMap]:
    """Return what people call the metric's values, for those that have names."""
    options = {
        f"{value:g}": model.ValueMappingResult(text=pick(one, lang), index=n)
        for n, (value, one) in enumerate(stream.value_names(metric).items())
    }
    return [model.ValueMap(options=options)] if options else []


def level_mapping(lang: Lang) -> model.ValueMap:
    """Return state level (0 …) to icon, text and colour."""
    return _mapping(
        (str(n), f"{s.icon} {pick(s.title, lang)}", s.colour) for n, s in enumerate(STATES)
    )


def level_steps() -> Steps:
    """Return the colours of state levels as steps."""
    return [(None if n == 0 else float(n), s.colour) for n, s in enumerate(STATES)]


def severity_mapping(lang: Lang) -> model.ValueMap:
    """Return severity number to icon, roman numeral, text and colour."""
    return _mapping(
        (str(int(v.severity)), f"{v.icon} {v.roman} {pick(v.title, lang)}", v.colour)
        for v in LEVELS.values()
    )


def flag_mapping(lang: Lang) -> model.ValueMap:
    """Return quality flag to text; suspect and fail carry an icon and a colour."""
    colours = {3: LEVELS[Severity.YELLOW].colour, 4: LEVELS[Severity.ORANGE].colour}
    return _mapping(
        (str(f), say(f"f.{f}", lang), colours.get(f, STALE_COLOUR)) for f in (1, 2, 3, 4, 9)
    )


def incident_mapping(lang: Lang) -> model.ValueMap:
    """Return an incident's status to words; its colour is its level's."""
    shown = {status: say(f"i.{status}", lang) for status in ("candidate", "confirmed", "resolved")}
    return model.ValueMap(
        options={
            status: model.ValueMappingResult(text=text, index=n)
            for n, (status, text) in enumerate(shown.items())
        }
    )


def yes_no_mapping(lang: Lang) -> model.ValueMap:
    """Return true and false to words."""
    return _mapping(
        [
            ("true", say("yes", lang), NORMAL_COLOUR),
            ("false", say("no", lang), LEVELS[Severity.ORANGE].colour),
        ]
    )


def _mapping(items: Iterable[tuple[str, str, str]]) -> model.ValueMap:
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=shown, color=colour, index=n)
            for n, (value, shown, colour) in enumerate(items)
        }
    )
