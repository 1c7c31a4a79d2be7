"""Every kind of rule and quantity: what it takes, an example in the catalog, the test of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.model import Rolling, Rule, SensorAttribute, Source, Stream, Threshold, ThresholdRule
from catalog.platform import JUDGING_ID, LOG_CHANGED_ID, PIPELINE_ID

Examples = Callable[[Stream], Iterator[tuple[str, Source | None]]]
"""Yields names of examples in a stream, each with its source."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule or quantity: what it takes, where to find an example, what shows it."""

    name: str
    takes: str
    test: str
    example: Examples


def _rules(
    holds: Callable[[Rule], bool],
) -> Examples:
    def found(stream: Stream) -> Iterator[tuple[str, Source | None]]:
        for rule in stream.rules:
            if holds(rule):
                limits = rule.thresholds if isinstance(rule, ThresholdRule) else ()
                yield stream.rule_id(rule), limits[0].source if limits else None

    return found


def _limits(holds: Callable[[Threshold], bool]) -> Examples:
    def found(stream: Stream) -> Iterator[tuple[str, Source | None]]:
        for rule in stream.rules:
            for limit in rule.thresholds if isinstance(rule, ThresholdRule) else ():
                if holds(limit):
                    yield stream.rule_id(rule), limit.source

    return found


def _rolling(holds: Callable[[Rolling], bool]) -> Examples:
    """Find a rolling quantity and the standard of the rule upon it, or its own."""

    def found(stream: Stream) -> Iterator[tuple[str, Source | None]]:
        for rolling in stream.rolling:
            if holds(rolling):
                upon = [r for r in _thresholds(stream) if r.metric == rolling.name]
                own = rolling.source if rolling.source.clause or not upon else None
                yield f"{stream.name}.{rolling.name}", own or upon[0].thresholds[0].source

    return found


def _derived(stream: Stream) -> Iterator[tuple[str, Source | None]]:
    yield from ((f"{stream.name}.{d.name}", d.source) for d in stream.derived)


def _relations(stream: Stream) -> Iterator[tuple[str, Source | None]]:
    yield from ((f"{stream.name}.{r.name}", r.source) for r in stream.relations)


KINDS = (
    Kind(
        "threshold by severity",
        "`op`, one limit a severity and `deadband` in the metric's unit; `for_s`, `clear_s`",
        "test_threshold_by_severity_with_for_clear_and_deadband",
        _rules(lambda r: r.kind == "threshold" and len(r.thresholds) == 4 and r.for_s > 0),
    ),
    Kind(
        "limit of the sensor itself",
        "`SensorAttribute(attribute, offset)` in the metric's unit",
        "test_threshold_of_the_sensor_itself",
        _limits(lambda t: isinstance(t.value, SensorAttribute) and t.source.verified),
    ),
    Kind(
        "limit of certain hours",
        "`hours=(from, to)`, local hours, may wrap at midnight; all of a mean lies within",
        "test_threshold_by_the_hour",
        _limits(lambda t: t.hours is not None),
    ),
    Kind(
        "limit by a schedule or the sun",
        "`when=Schedule(hours, days, months)` or `Sun(below | above)` in degrees",
        "test_lamps_must_burn_after_dusk_and_need_not_after_dawn",
        _limits(lambda t: t.when is not None),
    ),
    Kind(
        "boolean or state",
        '`op="=="`, a limit is one of the values; `boolean(…)`, `state(…)`',
        "test_a_state_is_compared_by_name",
        _rules(lambda r: isinstance(r, ThresholdRule) and r.op == "=="),
    ),
    Kind(
        "rate of a counter",
        "`Rate(of, per_s)` of a `counter(…)`, over roll-overs and resets",
        "test_a_counter_that_rolls_over_goes_on",
        lambda s: ((f"{s.name}.{r.name}", r.source) for r in s.rates),
    ),
    Kind(
        "limit of certain dates",
        "`effective_from`, `effective_to` of the source, local days",
        "test_threshold_by_date",
        _limits(lambda t: t.source.effective_to is not None),
    ),
    Kind(
        "rounding before comparing",
        "`decimals` of a threshold rule, GB/T 8170: halves to the even digit",
        "test_a_mean_is_rounded_as_its_limit_is_written",
        _rules(lambda r: isinstance(r, ThresholdRule) and r.decimals is not None),
    ),
    Kind(
        "rolling `sum`",
        "`window_s`, `bucket_s`, `min_buckets`",
        "test_rolling_sum_of_rain",
        _rolling(lambda r: r.kind == "sum"),
    ),
    Kind(
        "rolling `mean`, minimum validity",
        "`min_buckets` of the window, `full`: share of a bucket's readings; by the sensor's own"
        " interval",
        "test_an_hour_needs_45_minutes_and_eight_hours_need_six",
        _rolling(lambda r: r.kind == "mean" and r.full > 0),
    ),
    Kind(
        "rolling `max`, `min`, one of the other",
        "`each`: what a bucket makes, e.g. the lowest of daily highs",
        "test_the_lowest_of_three_daily_highs",
        _rolling(lambda r: r.each is not None),
    ),
    Kind(
        "rolling `level`",
        "mean energy of decibels",
        "test_levels_are_averaged_as_energy",
        _rolling(lambda r: r.kind == "level"),
    ),
    Kind(
        "rate: rolling `change`",
        "newest bucket less the oldest of `window_s`, in the metric's unit",
        "test_rate_of_change",
        _rolling(lambda r: r.kind == "change"),
    ),
    Kind(
        "`unusual`",
        "`direction`, limits and `deadband` in usual spreads, `window_s`, `scale`; the usual by"
        " kind of day and hour is learned",
        "test_what_is_unusual_for_the_hour",
        _rules(lambda r: r.kind == "unusual"),
    ),
    Kind(
        "derived quantity",
        "a pure function of metrics, rolling and derived quantities",
        "test_derived_quantities_raise_like_any_other",
        _derived,
    ),
    Kind(
        "expression of several metrics",
        "a derived quantity that a threshold rule looks at",
        "test_an_expression_of_two_metrics",
        _rules(lambda r: r.name == "burst"),
    ),
    Kind(
        "relation",
        "a law between metrics of one reading; broken: `marks` are flagged 3 or 4",
        "test_a_broken_relation_is_suspect",
        _relations,
    ),
    Kind(
        "`health`",
        "`for_s` of some metric failed, missing, flat or contradicted; `clear_s` with all well",
        "test_a_value_that_fails_raises_health_and_no_other_rule",
        _rules(lambda r: r.kind == "health"),
    ),
    Kind(
        "flat line",
        "`FlatLine(suspect_s, fail_s, tolerance)` of a metric, then `health`",
        "test_a_flat_line_raises_health",
        lambda s: ((f"{s.name}.{m.name}", m.source) for m in s.metrics if m.flat),
    ),
    Kind(
        "`absence`",
        "`after_s` ticks without a reading, while the stream is heard",
        "test_a_silent_sensor_a_silent_stream_and_a_stranger_are_told_apart",
        _rules(lambda r: r.kind == "absence"),
    ),
    Kind(
        "`stream_absence`",
        "`after_s` ticks in which no placed sensor of the stream is heard, while others are;"
        " subject `*`",
        "test_a_stream_is_silent_only_when_no_shard_hears_it",
        _rules(lambda r: r.kind == "stream_absence"),
    ),
    Kind(
        "`pipeline_absence`",
        "`after_s` ticks, at least `cadences` of the quickest stream heard, in which nothing comes"
        " from any stream; holds back the two above; subject `*`",
        "test_when_nothing_comes_from_any_stream_that_is_one_alert_of_the_platform",
        lambda _: iter([(PIPELINE_ID, None)]),
    ),
    Kind(
        "`judging_absence`",
        "`after_s` in which some partition's checkpoint stands still; judged by the alerts engine,"
        " by the database alone (the test is of that engine); subject `*`",
        "test_a_standstill_is_told_once_by_any_number_of_engines_and_ended_by_movement",
        lambda _: iter([(JUDGING_ID, None)]),
    ),
    Kind(
        "`log_break`",
        "`after_s` in which Kafka's log is another one than was worked off, or records of it that"
        " are gone; judged as the one above; subject `*`",
        "test_another_log_is_told_once_and_ended_when_no_reader_waits_any_more",
        lambda _: iter([(LOG_CHANGED_ID, None)]),
    ),
)


def _thresholds(stream: Stream) -> list[ThresholdRule]:
    return [rule for rule in stream.rules if isinstance(rule, ThresholdRule)]
