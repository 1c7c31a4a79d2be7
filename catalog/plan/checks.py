"""What may be wrong with the declaration of a plan: named rules, each saying what it found."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from catalog.declared import every_system_runs
from catalog.lifecycle.checks import CHINESE
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.network import networks
from catalog.plan.device import devices
from catalog.plan.layout import width_of
from catalog.plan.model import FILLED, Ahead, OnAlert, OnReading, OnRecord, Plan
from catalog.plan.steps import FIELDS, MOVES
from catalog.registry import find_rule, stream_rules, streams

Check = Callable[[Plan], Iterator[str]]


def problems(plan: Plan) -> list[str]:
    """Return everything that is wrong; empty when it is in order.

    Where some systems do not run, what a plan names of theirs is no fault: it never holds.
    """
    across = () if every_system_runs() else (causes_exist, effect_is_measured)
    return [found for check in CHECKS if check not in across for found in check(plan)]


def both_languages(plan: Plan) -> Iterator[str]:
    """Every text has Chinese in zh and something in en."""
    for words in (plan.title, *plan.shows.parts()):
        if not words.en.strip() or (words is plan.title and not CHINESE.search(words.zh)):
            yield f"text {words.zh!r}/{words.en!r} lacks Chinese or English"
        if not words.zh.strip():
            yield "a part of what is shown is empty"


def steps_are_a_record(plan: Plan) -> Iterator[str]:
    """Its steps are a record made by ``catalog.plan.steps.advice``."""
    record = records().get(plan.record)
    if record is None or record.moves != MOVES or record.fields != FIELDS:
        yield f"record {plan.record!r} is none that advice() has made"


def causes_exist(plan: Plan) -> Iterator[str]:
    """Rules, metrics, records and states that start it are declared, and have a place."""
    for when in plan.when:
        if isinstance(when, OnAlert):
            yield from (f"no rule {r!r}" for r in when.rules if not _rule(r))
        elif isinstance(when, OnReading):
            yield from _metric(when.stream, when.metric)
        else:
            yield from _record(when)


def template_can_be_filled(plan: Plan) -> Iterator[str]:
    """It names what there is, and its own words leave room on every device."""
    names = plan.shows.names()
    yield from (f"the template wants {{{n}}}, which nothing fills" for n in sorted(names - FILLED))
    if "kind" in names and not all(isinstance(w, OnRecord) and w.kind for w in plan.when):
        yield "the template wants {kind}, but not every cause has a kind"
    if {"value", "unit"} & names and any(isinstance(w, OnRecord) for w in plan.when):
        yield "the template wants {value}, but a record has none"
    blank = dict.fromkeys(FILLED, "")
    for part in plan.shows.parts():
        own = width_of(part.zh.format_map(blank)) if names <= FILLED else 0
        for device in devices().get(plan.whom.device, {}).values():
            if own > device.screen.width:
                yield f"{part.zh!r} does not fit {device.id}"
                break


def devices_exist(plan: Plan) -> Iterator[str]:
    """The site has devices of this kind, on the network that is walked."""
    known = devices().get(plan.whom.device)
    if not known:
        yield f"the site has no devices of kind {plan.whom.device!r}"
    if isinstance(plan.whom, Ahead):
        if plan.whom.network not in networks():
            yield f"no network {plan.whom.network!r}"
        elif known and not any(d.network == plan.whom.network for d in known.values()):
            yield f"no {plan.whom.device} stands on {plan.whom.network}"


def effect_is_measured(plan: Plan) -> Iterator[str]:
    """What shows the effect is a declared metric, and is read before the text is gone."""
    if plan.effect is None:
        return
    yield from _metric(plan.effect.stream, plan.effect.metric)
    if plan.effect.after_s > plan.show_s:
        yield "the effect is read after the text is gone"


CHECKS: tuple[Check, ...] = (
    both_languages,
    steps_are_a_record,
    causes_exist,
    template_can_be_filled,
    devices_exist,
    effect_is_measured,
)


def _rule(pattern: str) -> bool:
    return find_rule(pattern) is not None or any(fnmatchcase(r, pattern) for r in stream_rules())


def _metric(stream: str, metric: str) -> Iterator[str]:
    declared = streams().get(stream)
    if declared is None or metric not in declared.metric_names:
        yield f"no metric {stream}.{metric}"


def _record(when: OnRecord) -> Iterator[str]:
    record: Record | None = records().get(when.record)
    if record is None or record.located == "not":
        yield f"no record {when.record!r} that has a place"
        return
    states = {s.name for s in record.states if not s.final}
    yield from (f"{when.record}: no open state {s!r}" for s in when.states if s not in states)
    for name, values in when.only.items():
        field = record.field(name)
        known = {c.name for c in field.choices} if field else set[str]()
        if field is None or (field.choices and not known >= set(values)):
            yield f"{when.record}: {name} is no field with {', '.join(values)}"
    if when.kind and (field := record.field(when.kind)) is not None and not field.choices:
        yield f"{when.record}: {when.kind} is no choice"
