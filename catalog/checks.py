"""The quality list of a stream declaration: named rules, each answering what is wrong."""

import math
import re
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from catalog.contracts import STATISTICS
from catalog.guidance import unknown_guidance
from catalog.model import SensorAttribute, Source, Stream, Text, Threshold, ThresholdRule
from catalog.registry import stream_rules, streams, systems
from catalog.sensors import sensors_of
from catalog.site import site

Check = Callable[[Stream], Iterator[str]]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN_NAMES = {"PM2.5", "PM10", "pH"}
POSTGRES_NAME_LIMIT = 63
FORECAST_CADENCE_S = 1800
TAKEN = {"sensor", "observed_at", "received_at", "window_start", "revision", "n"}


def known_domain(stream: Stream) -> Iterator[str]:
    """The stream belongs to a declared domain."""
    if stream.domain not in systems():
        yield f"domain {stream.domain!r} is not one of {', '.join(systems())}"


def both_languages(stream: Stream) -> Iterator[str]:
    """Every text has Chinese in zh and something in en."""
    for text in _texts(stream):
        if text.zh not in LATIN_NAMES and not CHINESE.search(text.zh):
            yield f"zh text {text.zh!r} has no Chinese"
        if not text.en.strip():
            yield f"{text.zh!r} has no English text"


def units_everywhere(stream: Stream) -> Iterator[str]:
    """Every quantity names its unit (``1`` for a pure number)."""
    for item in (*stream.metrics, *stream.rates, *stream.rolling, *stream.derived):
        if not item.unit.strip():
            yield f"{item.name} has no unit"


def limits_are_numbers(stream: Stream) -> Iterator[str]:
    """Every threshold rule has limits, and they are finite."""
    for rule in _threshold_rules(stream):
        if not rule.thresholds:
            yield f"rule {rule.name}: no limits, give it thresholds=levels(yellow=…, red=…)"
        for limit in rule.thresholds:
            if isinstance(limit.value, float | int) and not math.isfinite(limit.value):
                yield f"rule {rule.name}: {limit.severity.name.lower()}={limit.value} is no limit"


def thresholds_rise(stream: Stream) -> Iterator[str]:
    """A higher severity has the more extreme limit."""
    for rule in _threshold_rules(stream):
        upwards = rule.op.startswith(">")
        if rule.op == "==":
            continue  # values without an order
        for milder, worse in _pairs(stream, rule):
            if milder > worse if upwards else milder < worse:
                yield f"rule {rule.name}: limits do not follow the severities: {milder:g} {worse:g}"


def derived_compute(stream: Stream) -> Iterator[str]:
    """Windows are whole buckets, and derived metrics give a number a reading, also of nothing."""
    for item in stream.rolling:
        if item.bucket_s <= 0 or item.window_s % item.bucket_s:
            yield f"{item.name}: window_s is no multiple of bucket_s"
    tried, at = np.array([np.nan, 0.0, 1.0]), np.zeros(3, np.int64)
    for item in stream.derived:
        try:
            with np.errstate(all="ignore"):
                shape = np.shape(item.by(dict.fromkeys(item.of, tried), at))
        except Exception as error:
            yield f"{item.name}: {type(error).__name__}: {error} (of={item.of})"
        else:
            if shape != tried.shape:
                yield f"{item.name}: gives shape {shape} for {len(tried)} readings"


def deadband_fits(stream: Stream) -> Iterator[str]:
    """A deadband is not negative, and not wider than two limits are apart."""
    for rule in _threshold_rules(stream):
        if rule.op == "==":
            continue
        if rule.deadband < 0:
            yield f"rule {rule.name}: deadband below zero"
        for milder, worse in _pairs(stream, rule):
            if rule.deadband > abs(worse - milder) + 1e-9:
                yield (
                    f"rule {rule.name}: a deadband of {rule.deadband:g} is wider than {milder:g}"
                    f" and {worse:g} are apart: the worse level would outlast the milder one"
                )


def what_is_computed_is_rounded(stream: Stream) -> Iterator[str]:
    """A rule on a computed quantity rounds it: binary fractions miss a limit met exactly."""
    exact = {m.name for m in stream.metrics}
    exact |= {r.name for r in stream.rolling if r.kind in ("max", "min")}
    for rule in _threshold_rules(stream):
        if rule.metric not in exact and rule.decimals is None:
            yield f"rule {rule.name}: {rule.metric} is computed, give the rule decimals"


def extremes_are_possible(stream: Stream) -> Iterator[str]:
    """A value past a metric's worst limit lies in the instrument's range: no rule looks beyond."""
    measured = {metric.name: metric for metric in stream.metrics}
    for rule in _threshold_rules(stream):
        if (metric := measured.get(rule.metric)) is None or rule.op == "==":
            continue
        low, high = metric.fail_span
        for limit in _limits(stream, rule):
            if limit >= high if rule.op.startswith(">") else limit <= low:
                yield f"rule {rule.name}: values past {limit:g} are outside the fail span"


def verified_is_cited(stream: Stream) -> Iterator[str]:
    """A verified number names standard and clause."""
    for source in _sources(stream):
        if source.verified and not source.clause:
            yield f"{source.standard} is marked verified but names no clause"


def silence_and_health_are_watched(stream: Stream) -> Iterator[str]:
    """Silent sensors, a silent stream and unwell sensors: a rule each, past three cadences."""
    for kind in ("absence", "stream_absence", "health"):
        if sum(rule.kind == kind for rule in stream.rules) != 1:
            yield f"exactly one rule of kind {kind} is needed"
    for rule in stream.rules:
        seconds = rule.for_s if rule.kind == "health" else getattr(rule, "after_s", None)
        if seconds is not None and seconds < 3 * stream.cadence_s:
            yield f"rule {rule.name}: {seconds:g} s is less than three cadences"


def corroboration_is_known(stream: Stream) -> Iterator[str]:
    """What corroborates a rule is a rule; its own is a neighbour's."""
    known = {*stream_rules()}
    for rule in _threshold_rules(stream):
        for other in rule.corroborated_by:
            if other.rule not in known | {stream.rule_id(rule)}:
                yield f"rule {rule.name}: no rule {other.rule} to corroborate it"
            if not other.within_km and other.rule == stream.rule_id(rule):
                yield f"rule {rule.name}: it does not corroborate itself, give within_km"


def lateness_covers_cadence(stream: Stream) -> Iterator[str]:
    """Lateness is at least one cadence."""
    if stream.lateness_s < stream.cadence_s:
        yield f"lateness {stream.lateness_s} s is shorter than the cadence {stream.cadence_s} s"


def names_fit(stream: Stream) -> Iterator[str]:
    """Derived column names are free and fit PostgreSQL's 63 characters."""
    for name in TAKEN & {*stream.aggregate_names}:
        yield f"metric name {name} is taken: every reading or window has a column of that name"
    longest = max(len(s) for s in STATISTICS)
    for name in stream.aggregate_names:
        if len(name) + 1 + longest > POSTGRES_NAME_LIMIT:
            yield f"metric name {name} is too long"


def sensors_placed(stream: Stream) -> Iterator[str]:
    """At least one sensor; ids unique; every one in a known district, fed by a known stream."""
    where = stream.placement
    yield from (f"no district {code}" for code in where.districts if code not in site().districts)
    if where.parent_stream and where.parent_stream not in streams():
        yield f"parent_stream: no stream {where.parent_stream!r}; known: {', '.join(streams())}"
    placed = sensors_of(stream.name)
    if not placed:
        yield f"no sensor: give it per_district, or the site stations/{stream.name}.py"
    if len({s.id for s in placed}) != len(placed):
        yield "two sensors share an id"
    yield from (
        f"{s.id}: no district {s.district}" for s in placed if s.district not in site().districts
    )


def forecasts_have_time(stream: Stream) -> Iterator[str]:
    """What is forecast by the hour comes every half hour; guidance that it uses is declared."""
    for item in stream.forecast:
        if stream.cadence_s > FORECAST_CADENCE_S:
            yield f"forecast of {item.of}: a cadence of {stream.cadence_s} s makes no hours"
        for name in unknown_guidance(item.ahead):
            yield f"forecast of {item.of}: no guidance {name!r} (systems/*/guidance/)"


CHECKS: tuple[Check, ...] = (
    known_domain,
    both_languages,
    units_everywhere,
    limits_are_numbers,
    thresholds_rise,
    derived_compute,
    deadband_fits,
    what_is_computed_is_rounded,
    extremes_are_possible,
    verified_is_cited,
    silence_and_health_are_watched,
    corroboration_is_known,
    lateness_covers_cadence,
    names_fit,
    sensors_placed,
    forecasts_have_time,
)


def problems(stream: Stream) -> list[tuple[str, str]]:
    """Return (check, what is wrong) for one stream; empty when it is in order."""
    return [(check.__name__, found) for check in CHECKS for found in check(stream)]


def _threshold_rules(stream: Stream) -> list[ThresholdRule]:
    return [rule for rule in stream.rules if isinstance(rule, ThresholdRule)]


def _pairs(stream: Stream, rule: ThresholdRule) -> Iterator[tuple[float, float]]:
    """Yield (milder, worse) limits that hold at the same time."""
    ordered = sorted(rule.thresholds, key=lambda t: -t.severity)
    for milder, worse in combinations(ordered, 2):
        if milder.severity == worse.severity or milder.hours != worse.hours:
            continue
        if milder.when != worse.when:
            continue
        if _overlap(milder.source, worse.source):
            numbers = (_numbers(stream, limit) for limit in (milder, worse))
            yield from dict.fromkeys(zip(*numbers, strict=False))


def _overlap(one: Source, other: Source) -> bool:
    def ends_before(a: Source, b: Source) -> bool:
        return bool(a.effective_to and b.effective_from and a.effective_to < b.effective_from)

    return not (ends_before(one, other) or ends_before(other, one))


def _limits(stream: Stream, rule: ThresholdRule) -> Iterator[float]:
    """Yield every number that a limit of the rule stands for, on any placed sensor."""
    for threshold in rule.thresholds:
        yield from dict.fromkeys(_numbers(stream, threshold))


def _numbers(stream: Stream, threshold: Threshold) -> Iterator[float]:
    """Yield what a limit stands for on each placed sensor that has it."""
    own = threshold.value
    for placed in sensors_of(stream.name):
        if not isinstance(own, SensorAttribute):
            yield float(own)
        elif own.attribute in placed.attributes:
            yield placed.attributes[own.attribute] + own.offset


def _texts(stream: Stream) -> Iterator[Text]:
    yield stream.title
    quantities = (*stream.metrics, *stream.rates, *stream.rolling, *stream.derived)
    for item in (*quantities, *stream.attributes):
        yield item.title
    for metric in stream.metrics:
        yield from metric.values.values()
    for rule in stream.rules:
        yield rule.title
        if isinstance(rule, ThresholdRule):
            yield from (limit.title for limit in rule.thresholds if limit.title)
        yield rule.advice


def _sources(stream: Stream) -> Iterator[Source]:
    for item in (*stream.metrics, *stream.rates, *stream.rolling, *stream.derived):
        yield item.source
    for rule in _threshold_rules(stream):
        yield from (limit.source for limit in rule.thresholds)
