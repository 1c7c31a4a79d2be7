"""The page docs/rules.md: every kind of rule with an example, then every rule and limit."""

from collections.abc import Iterator

from catalog.joint import joint_rules
from catalog.model import (
    HealthRule,
    JointRule,
    JudgingAbsenceRule,
    LogRule,
    Metric,
    Rule,
    SensorAttribute,
    Source,
    Stream,
    Threshold,
    ThresholdRule,
    UnusualRule,
    WatchRule,
)
from catalog.platform import (
    JUDGING,
    JUDGING_ID,
    LOG_CHANGED,
    LOG_CHANGED_ID,
    LOG_GAP,
    LOG_GAP_ID,
    PIPELINE,
    PIPELINE_ID,
)
from catalog.registry import streams
from catalog.rule_kinds import KINDS

HEAD = """# Rules

Generated from the catalog by `make rules-page`; the declarations are in `systems/*/streams/`.

A rule looks at the newest reading of each sensor, in event time, and at the passing of ticks when
the next one is overdue. Values that quality control flags 3 (suspect) count, and the alert says
that it is unconfirmed; 4 (impossible, or proven wrong) and 9 (missing) change no rule but make the
sensor unwell (`health`). A limit cites its standard and clause, or `engineering`; *unverified*
means that the number was not read in the text itself. What is computed is rounded before it is
compared, halves to the even digit (GB/T 8170), so that a limit met exactly is met. The golden cases
are in `tests/cases/test_rules.py` and, at the edges of limits, hours, days and months, in
`test_boundaries.py`.
"""


def rules_page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD, "## Kinds\n", *_kinds(), "\n## Every rule\n", *_every_rule()]
    parts += ["\n## Rolling and derived quantities\n", *_quantities()]
    parts += ["\n## Quality limits\n", *_quality(), "\n## Relations\n", *_every_relation()]
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _table(*heads: str, rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def _kinds() -> Iterator[str]:
    def rows() -> Iterator[tuple[str, ...]]:
        for kind in KINDS:
            name, source = next(x for s in streams().values() for x in kind.example(s))
            yield kind.name, kind.takes, f"`{name}`", _cited(source), f"`{kind.test}`"

    yield from _table("kind", "takes", "example", "standard", "in `tests/cases/`", rows=rows())


def _every_rule() -> Iterator[str]:
    def rows() -> Iterator[tuple[str, ...]]:
        for stream in streams().values():
            for rule in stream.rules:
                yield from _rule_rows(stream, rule)
        for joint in joint_rules().values():
            yield from _joint_rows(joint)
        yield _watch_row(PIPELINE_ID, PIPELINE)
        yield _watch_row(JUDGING_ID, JUDGING, "a partition's checkpoint stands still")
        yield _watch_row(LOG_CHANGED_ID, LOG_CHANGED, "Kafka's log is another one than was read")
        yield _watch_row(LOG_GAP_ID, LOG_GAP, "records that were never read are gone")

    yield from _table("rule", "title", "level", "when", "for / clear", "standard", rows=rows())


def _rule_rows(stream: Stream, rule: Rule) -> Iterator[tuple[str, ...]]:
    head = (f"`{stream.rule_id(rule)}`", f"{rule.title.zh} {rule.title.en}")
    if isinstance(rule, ThresholdRule):
        name = head[0]
        unit = _shown(stream.quantity(rule.metric).unit)
        spans = f"{rule.for_s:g} s / {rule.clear_s:g} s past {rule.deadband:g}{unit}"
        rounding = "" if rule.decimals is None else f", rounded to {rule.decimals} decimals"
        for limit in rule.thresholds:
            value = _value(stream, rule, limit)
            when = f"`{rule.metric}` {rule.op} {value}{unit}{_hours(limit)}{rounding}"
            level = limit.severity.name.lower()
            title = rule.title_at(limit.severity)
            yield (name, f"{title.zh} {title.en}", level, when, spans, _cited(limit.source))
        return
    if isinstance(rule, UnusualRule):
        spans = f"{rule.for_s:g} s / {rule.clear_s:g} s past {rule.deadband:g} spreads"
        side = {"above": "above", "below": "below", "both": "off"}[rule.direction]
        for limit in rule.thresholds:
            when = f"`{rule.metric}` {limit.value:g} usual spreads {side} the usual"
            when += f" over {rule.window_s:g} s{'' if rule.scale == 'plain' else f', {rule.scale}'}"
            title = rule.title_at(limit.severity)
            level = limit.severity.name.lower()
            yield (head[0], f"{title.zh} {title.en}", level, when, spans, _cited(limit.source))
        return
    if isinstance(rule, HealthRule):
        spans = f"{rule.for_s:g} s / {rule.clear_s:g} s"
        yield (*head, rule.severity.name.lower(), "nothing usable", spans, "engineering")
    else:
        yield _watch_row(stream.rule_id(rule), rule)


def _joint_rows(rule: JointRule) -> Iterator[tuple[str, ...]]:
    signals = ", ".join(f"{part.stream}.{m}" for part in rule.signals for m in part.metrics)
    for limit in rule.thresholds:
        title, level = rule.title_at(limit.severity), limit.severity.name.lower()
        when = f"{limit.value:g} usual spreads off the usual together, by {rule.by}: {signals}"
        spans = f"one hour / past {rule.deadband:g} spreads"
        head = (f"`{rule.id}`", f"{title.zh} {title.en}")
        yield (*head, level, when, spans, _cited(limit.source))


def _watch_row(
    rule_id: str, rule: WatchRule | JudgingAbsenceRule | LogRule, when: str = "no reading"
) -> tuple[str, ...]:
    title = f"{rule.title.zh} {rule.title.en}"
    level = rule.severity.name.lower()
    return f"`{rule_id}`", title, level, when, f"{rule.after_s} s / –", "engineering"


def _quantities() -> Iterator[str]:
    def rows() -> Iterator[tuple[str, ...]]:
        for stream in streams().values():
            for rate in stream.rates:
                how = f"rise of the counter `{rate.of}`, per {rate.per_s:g} s"
                name = f"`{stream.name}.{rate.name}`"
                yield name, rate.title.zh, rate.unit, how, _cited(rate.source)
            for r in stream.rolling:
                inner = f" of {r.each}" if r.each else ""
                how = (
                    f"{r.kind}{inner} of `{r.of}` over {r.window_s} s in buckets of {r.bucket_s} s"
                )
                full = f", each {r.full:.0%} full" if r.full else ""
                need = f", at least {r.min_buckets}{full}" if r.min_buckets > 1 or full else ""
                how += need if r.kept else f"{need}; not kept"
                yield f"`{stream.name}.{r.name}`", r.title.zh, r.unit, how, _cited(r.source)
            for d in stream.derived:
                of = ", ".join(f"`{name}`" for name in d.of)
                yield (
                    f"`{stream.name}.{d.name}`",
                    d.title.zh,
                    d.unit,
                    f"from {of}",
                    _cited(d.source),
                )

    yield from _table("quantity", "title", "unit", "how", "standard", rows=rows())


def _quality() -> Iterator[str]:
    def rows() -> Iterator[tuple[str, ...]]:
        for stream in streams().values():
            yield from (_limits_row(stream, metric) for metric in stream.metrics)

    heads = (
        "metric",
        "unit",
        "fail outside",
        "suspect outside",
        "spike 3 / 4",
        "per min",
        "flat 3 / 4",
    )
    yield from _table(*heads, rows=rows())


def _limits_row(stream: Stream, m: Metric) -> tuple[str, ...]:
    flat = f"{m.flat.suspect_s:g} s / {m.flat.fail_s:g} s" if m.flat else "–"
    return (
        f"`{stream.name}.{m.name}`",
        m.unit,
        "{:g} … {:g}".format(*m.fail_span),
        "{:g} … {:g}".format(*m.suspect_span) if m.suspect_span else "–",
        "{:g} / {:g}".format(*m.spike) if m.spike else "–",
        "–" if m.rate_per_min is None else f"{m.rate_per_min:g}",
        flat,
    )


def _every_relation() -> Iterator[str]:
    def rows() -> Iterator[tuple[str, ...]]:
        for stream in streams().values():
            for r in stream.relations:
                of, marks = (", ".join(f"`{x}`" for x in names) for names in (r.of, r.marks))
                yield (
                    f"`{stream.name}.{r.name}`",
                    f"{r.title.zh} {r.title.en}",
                    of,
                    marks,
                    str(r.flag),
                )

    yield from _table("relation", "broken when", "of", "marks", "flag", rows=rows())


def _shown(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _value(stream: Stream, rule: ThresholdRule, limit: Threshold) -> str:
    own = limit.value
    if rule.op == "==" and not isinstance(own, SensorAttribute):
        return stream.value_names(rule.metric)[own].en
    if not isinstance(own, SensorAttribute):
        return f"{own:g}"
    return f"`{own.attribute}`" + (f" {own.offset:+g}" if own.offset else "")


def _hours(limit: Threshold) -> str:
    hours = " from {} to {} h".format(*limit.hours) if limit.hours else ""
    return hours + (f", {limit.when.words()[1]}" if limit.when else "")


def _cited(source: Source | None) -> str:
    if source is None or source.standard == "engineering":
        return "engineering"
    days = (source.effective_from, source.effective_to)
    dates = f" ({days[0] or ''} – {days[1] or ''})" if any(days) else ""
    verified = "" if source.verified else ", *unverified*"
    return f"{source.standard}, {source.clause}{dates}{verified}"
