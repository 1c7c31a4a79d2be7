"""What may be wrong with the declaration of a thing, alone and among the others."""

from collections import Counter
from collections.abc import Iterator

from catalog.base import Text
from catalog.fact.model import Fact
from catalog.lifecycle.record import Record
from catalog.model import Stream
from catalog.thing.model import Placed, Thing, When


def own_problems(thing: Thing) -> list[str]:
    """Return what is wrong with a declaration by itself."""
    return [*_names(thing), *_states(thing), *_texts(thing), *_sensors(thing)]


def problems(
    thing: Thing,
    placed: tuple[Placed, ...],
    *,
    things: dict[str, Thing],
    streams: dict[str, Stream],
    records: dict[str, Record],
    facts: dict[str, Fact],
) -> list[str]:
    """Return what does not fit the other declarations."""
    found = list(_metrics(thing, streams))
    for when in _conditions(thing):
        found += _fits(thing, when, records, facts)
    for shown in thing.shows:
        fact = facts.get(shown.fact or "")
        if shown.fact and (fact is None or shown.field not in {"at", *fact.measure_names}):
            found.append(f"shows {shown.name}: no fact {shown.fact} with {shown.field}")
    if thing.parent and thing.parent not in things:
        found.append(f"parent {thing.parent!r} is no thing")
    known = {attribute.name for attribute in thing.attributes}
    twice = [id for id, n in Counter(one.id for one in placed).items() if n > 1]
    found += [f"{id} is placed twice" for id in twice]
    for one in placed:
        found += [f"{one.id}: no attribute {a}" for a in sorted({*one.attributes} - known)]
    return [f"thing {thing.name}: {one}" for one in found]


def _conditions(thing: Thing) -> list[When]:
    return [when for state in thing.states for when in state.when]


def _names(thing: Thing) -> Iterator[str]:
    for kind, names in (
        ("attribute", [a.name for a in thing.attributes]),
        ("state", [s.name for s in thing.states]),
        ("shows", [s.name for s in thing.shows]),
    ):
        yield from (f"{kind} {n!r} is declared twice" for n, x in Counter(names).items() if x > 1)


def _states(thing: Thing) -> Iterator[str]:
    *others, last = thing.states
    if last.when:
        yield f"the last state, {last.name}, holds always and has no conditions"
    yield from (f"state {s.name} never holds" for s in others if not s.when)


def _texts(thing: Thing) -> Iterator[str]:
    items = (*thing.attributes, *thing.shows, *thing.states)
    texts: list[Text] = [thing.title, thing.plural, *(item.title for item in items)]
    yield from (f"text {t.zh!r}/{t.en!r} is empty" for t in texts if not (t.zh and t.en))


def _sensors(thing: Thing) -> Iterator[str]:
    needing = [w.cause for w in _conditions(thing) if w.alert or w.reading or w.silent_s]
    needing += [s.name for s in thing.shows if s.reading]
    if needing and not thing.sensors:
        yield f"{', '.join(needing)}: a thing without sensors has no readings and no alerts"
    if thing.each_sensor and not thing.sensors:
        yield "each sensor of what stream?"


def _metrics(thing: Thing, streams: dict[str, Stream]) -> Iterator[str]:
    if thing.sensors is None:
        return
    stream = streams.get(thing.sensors)
    if stream is None:
        yield f"no stream {thing.sensors}"
        return
    named = [w.reading for w in _conditions(thing)] + [s.reading for s in thing.shows]
    yield from (f"no metric {stream.name}.{m}" for m in named if m and m not in stream.metric_names)


def _fits(
    thing: Thing, when: When, records: dict[str, Record], facts: dict[str, Fact]
) -> Iterator[str]:
    if when.fact and when.fact not in facts:
        yield f"no fact {when.fact}"
    if when.record is None:
        return
    record = records.get(when.record)
    if record is None:
        yield f"no record {when.record}"
    elif (field := record.field(when.by or "")) is None:
        yield f"{record.name} has no field {when.by}"
    else:
        if field.kind == "thing" and thing.name not in field.things:
            yield f"{record.name}.{field.name} names no {thing.name}"
        unknown = {*when.states} - {state.name for state in record.states}
        yield from (f"{record.name} has no state {state}" for state in sorted(unknown))
