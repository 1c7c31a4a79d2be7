"""What may be wrong with the declaration of a record: named rules, each saying what it found."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from catalog.base import Text
from catalog.lifecycle.kpi import Condition, Kpi, Score
from catalog.lifecycle.lookups import bad_values, fields_of, of_kind, unknown
from catalog.lifecycle.outward import open311_maps_fields, what_is_told_is_declared
from catalog.lifecycle.record import ALERT_FACTS, ANYONE, BACK, ENGINE, RESERVED, Record

Check = Callable[[Record], Iterator[str]]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def problems(record: Record) -> list[str]:
    """Return everything that is wrong; empty when it is in order."""
    return [found for check in CHECKS for found in check(record)]


def names_are_unique(r: Record) -> Iterator[str]:
    """No name stands twice, and none is the platform's own."""
    kinds = {
        "field": [f.name for f in r.all_fields],
        "state": [s.name for s in r.states],
        "move": [m.name for m in r.moves],
        "clock": [c.name for c in r.clocks],
        "role": [x.name for x in r.roles],
        "KPI": [k.name for k in r.kpis],
    }
    for kind, names in kinds.items():
        yield from (f"{kind} {n!r} is declared twice" for n, x in Counter(names).items() if x > 1)
    taken = RESERVED & {*kinds["move"], *kinds["state"]}
    yield from (f"{name!r} is a word of the platform's own" for name in sorted(taken))


def both_languages(r: Record) -> Iterator[str]:
    """Every text has Chinese in zh and something in en."""
    for words in _texts(r):
        if not CHINESE.search(words.zh) or not words.en.strip():
            yield f"text {words.zh!r}/{words.en!r} lacks Chinese or English"


def moves_name_what_exists(r: Record) -> Iterator[str]:
    """States, roles, fields and clocks that a move names are declared."""
    states, clocks = {s.name for s in r.states}, {c.name for c in r.clocks}
    fields, roles = {f.name: f for f in r.all_fields}, _roles(r)
    for move in r.moves:
        at = f"move {move.name}"
        yield from unknown(f"{at}: from", move.from_states, states)
        yield from unknown(f"{at}: to", [move.to] if move.to else [], states | {BACK})
        yield from unknown(f"{at}: role", move.roles, roles)
        yield from unknown(f"{at}: field", (*move.needs, *move.takes), fields)
        yield from unknown(f"{at}: apart from", move.apart, {"open", *(m.name for m in r.moves)})
        timed = (*move.starts, *move.pauses, *move.resumes, *move.stops)
        yield from unknown(f"{at}: clock", timed, clocks)
        for name in (*move.needs, *move.takes):
            if name in fields and fields[name].fixed:
                yield f"{at}: field {name} is fixed when the record is opened"
        for item in move.extends:
            yield from unknown(f"{at}: clock", [item.clock], clocks)
            if item.field not in fields or fields[item.field].kind not in ("number", "integer"):
                yield f"{at}: extends {item.clock} by {item.field!r}, which is no number"
            elif item.field not in move.needs:
                yield f"{at}: extends {item.clock} by {item.field}, which it does not need"


def what_is_due_is_a_time(r: Record) -> Iterator[str]:
    """The platform may take a move that is due, without a form; its fields are time and minutes."""
    for move in r.moves:
        at = f"move {move.name}"
        if move.quick and (move.needs or move.note or len(move.reasons) > 1):
            yield f"{at}: is quick, but asks for something"
        if move.due is None:
            continue
        if ENGINE not in move.roles or move.needs or move.note:
            yield f"{at}: is due, so {ENGINE!r} is one of its roles and it needs no field, no note"
        yield from of_kind(r, f"{at}: due", move.due.field, "time")
        if move.due.plus_min:
            yield from of_kind(r, f"{at}: due", move.due.plus_min, "number", "integer")


def opening_is_possible(r: Record) -> Iterator[str]:
    """Whoever opens a record is declared, and rules and schedules give all that is required."""
    yield from unknown("opening: role", r.opening.roles, _roles(r))
    yield from unknown("opening: clock", r.opening.starts, {c.name for c in r.clocks})
    required = {f.name for f in r.all_fields if f.required and f.default is None}
    known = {f.name for f in r.all_fields}
    for rule in r.opening.rules:
        at = f"opening by {', '.join(rule.rules)}"
        given = {*rule.fields, *rule.copied}
        yield from unknown(f"{at}: field", given, known)
        yield from unknown(f"{at}: fact of an alert", rule.copied.values(), ALERT_FACTS)
        yield from (f"{at}: field {n} is required but not given" for n in sorted(required - given))
        yield from bad_values(r, at, rule.fields)
    if r.opening.every:
        missing = sorted(required - {*r.opening.fields})
        yield from (f"opening each day: field {n} is required but not given" for n in missing)
        yield from bad_values(r, "opening each day", r.opening.fields)
    if (r.opening.rules or r.opening.every) and ENGINE not in r.opening.roles:
        yield f"opening: rules or a schedule open it, so its roles include {ENGINE!r}"


def states_lead_to_an_end(r: Record) -> Iterator[str]:
    """Every state can be reached, and from every one an end; moves into an end give reasons."""
    final = {s.name for s in r.states if s.final}
    if not final:
        yield "no state is final"
    if r.states[0].final:
        yield f"it begins in {r.states[0].name}, which is final"
    steps = _steps(r)
    reached = _closure({r.initial}, steps)
    yield from (f"state {s.name} cannot be reached" for s in r.states if s.name not in reached)
    backwards = {(b, a) for a, b in steps}
    ending = _closure(final, backwards)
    yield from (
        f"no way leads from state {s.name} to an end" for s in r.states if s.name not in ending
    )
    for move in r.moves:
        if move.to in final and not move.reasons:
            yield f"move {move.name} ends the record but gives no reasons to choose from"


def clocks_run(r: Record) -> Iterator[str]:
    """A clock has limits for every case, and something starts it and something stops it."""
    for clock in r.clocks:
        at = f"clock {clock.name}"
        if (clock.limit is None) == (not clock.by):
            yield f"{at}: either limit, or by with limits"
        if clock.by:
            yield from _table(r, at, clock.by, set(clock.limits))
        elif clock.limits:
            yield f"{at}: limits without by"
        started = {*r.opening.starts, *(c for m in r.moves for c in m.starts)}
        stopped = {c for m in r.moves for c in m.stops}
        if clock.name not in started:
            yield f"{at}: nothing starts it"
        if clock.name not in stopped:
            yield f"{at}: nothing stops it"
        paused = {c for m in r.moves for c in m.pauses}
        if clock.name in paused and clock.name not in {c for m in r.moves for c in m.resumes}:
            yield f"{at}: something pauses it, nothing resumes it"


def roles_are_scoped_by_fields(r: Record) -> Iterator[str]:
    """A role's scope is a field."""
    for role in r.roles:
        if role.name in (ANYONE, ENGINE):
            yield f"role {role.name} is the platform's own"
        if role.scope:
            yield from unknown(f"role {role.name}: scope", [role.scope], fields_of(r))


def likeness_is_by_fields(r: Record) -> Iterator[str]:
    """Dedupe key, near-duplicates and headline name fields; nearness needs a place."""
    yield from unknown("dedupe", r.dedupe, fields_of(r))
    yield from unknown("headline", r.headline, fields_of(r))
    if r.near:
        yield from unknown("near: same", r.near.same, fields_of(r))
        if r.located == "not":
            yield "near: the record has no place"


def kpis_count_what_exists(r: Record) -> Iterator[str]:
    """KPIs name moves, clocks, fields and states that are declared; scores name KPIs."""
    shares = {k.name for k in r.kpis if isinstance(k, Kpi)}
    for kpi in r.kpis:
        at = f"KPI {kpi.name}"
        if isinstance(kpi, Score):
            yield from unknown(f"{at}: KPI", [t.kpi for t in kpi.terms], shares)
            continue
        if kpi.of.when == "moved":
            yield from unknown(f"{at}: move", [kpi.of.name], {m.name for m in r.moves})
        if kpi.of.when == "due":
            yield from unknown(f"{at}: clock", [kpi.of.name], {c.name for c in r.clocks})
        for condition in (*kpi.of.only, *kpi.share):
            yield from _condition(r, at, condition)


CHECKS: tuple[Check, ...] = (
    names_are_unique,
    both_languages,
    moves_name_what_exists,
    what_is_due_is_a_time,
    what_is_told_is_declared,
    opening_is_possible,
    states_lead_to_an_end,
    clocks_run,
    roles_are_scoped_by_fields,
    likeness_is_by_fields,
    kpis_count_what_exists,
    open311_maps_fields,
)


def _condition(r: Record, at: str, c: Condition) -> Iterator[str]:
    moves = [m for m in (c.moved, c.not_moved) if m]
    yield from unknown(f"{at}: move", moves, {m.name for m in r.moves})
    yield from unknown(
        f"{at}: clock", [x for x in (c.in_time, c.stopped) if x], {x.name for x in r.clocks}
    )
    yield from unknown(f"{at}: state", c.states, {s.name for s in r.states})
    if c.field:
        yield from unknown(f"{at}: field", [c.field], fields_of(r))
        field = r.field(c.field)
        if field and field.choices:
            yield from unknown(f"{at}: {c.field}", c.values, {x.name for x in field.choices})


def _table(r: Record, at: str, by: str, limits: set[str]) -> Iterator[str]:
    field = r.field(by)
    if field is None or field.kind != "choice":
        yield f"{at}: by {by!r} is no field of kind choice"
        return
    choices = {c.name for c in field.choices}
    yield from (f"{at}: no limit for {by} {n}" for n in sorted(choices - limits))
    yield from (f"{at}: {n} is no choice of {by}" for n in sorted(limits - choices))


def _roles(r: Record) -> set[str]:
    return {ANYONE, ENGINE, *(role.name for role in r.roles)}


def _steps(r: Record) -> set[tuple[str, str]]:
    """Return which state may follow which; a move back leads to whatever could come before."""
    plain = {(a, m.to) for m in r.moves for a in m.from_states if m.to and m.to != BACK}
    back = {
        (a, before)
        for m in r.moves
        if m.to == BACK
        for a in m.from_states
        for before, after in plain
        if after == a
    }
    return plain | back


def _closure(begin: set[str], steps: set[tuple[str, str]]) -> set[str]:
    seen, fresh = set(begin), set(begin)
    while fresh:
        fresh = {b for a, b in steps if a in fresh} - seen
        seen |= fresh
    return seen


def _texts(r: Record) -> Iterator[Text]:
    yield from (r.title, r.plural, r.opening.title)
    for item in (*r.fields, *r.roles, *r.states, *r.clocks, *r.moves, *r.kpis):
        yield item.title
    yield from (s.public for s in r.states if s.public)
    for choice in (
        *(c for f in r.fields for c in f.choices),
        *(c for m in r.moves for c in m.reasons),
    ):
        yield choice.title
