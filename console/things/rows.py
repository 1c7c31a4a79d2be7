"""Things as rows of lists, marks of maps, and facts, in the words of their declaration."""

from datetime import datetime
from typing import Any

from catalog.lifecycle.registry import records
from catalog.registry import facts, find_rule, streams
from catalog.severity import LEVELS
from catalog.thing.model import Shown, Thing
from catalog.thing.registry import things
from console.marks import Mark, number
from console.records.rows import local
from console.rows import district_title
from console.texts import Words
from console.widgets.table import Column
from records.things.queries import ThingRow


def thing_state(words: Words, thing: Thing, name: str) -> Mark:
    """Return the mark of a state: in its level's colour with its icon, else quiet."""
    state = thing.state(name)
    order = [one.name for one in thing.states]
    place = {"sort": order.index(name) if name in order else len(order)}
    text = words.of(state.title) or name
    if state.severity:
        level = LEVELS[state.severity]
        return {"mark": level.severity.name.lower(), "icon": level.icon, "text": text} | place
    if state.stale:
        return {"mark": "stale", "icon": "✕", "text": text} | place
    return {"mark": "normal", "icon": "", "text": text} | place


def thing_columns(words: Words, thing: Thing) -> list[Column]:
    """Return the columns of a list of things."""
    return [
        Column("state", words("things.state"), "state", width="150px"),
        Column("thing", words.of(thing.title), "link"),
        Column("district", words("filter.district"), hide=True),
        *(Column(f"s_{one.name}", words.of(one.title), "number") for one in thing.shows),
        Column("since", words("things.since"), "time", hide=True),
    ]


def thing_row(words: Words, thing: Thing, row: ThingRow) -> dict[str, Any]:
    """Return one thing as a row of a list."""
    mark = thing_state(words, thing, row.state)
    return {
        "id": row.thing,
        "mark": mark["mark"],
        "state": mark,
        "thing": thing_link(words, row),
        "district": district_title(words, row.district),
        **{f"s_{one.name}": shown(words, one, row) for one in thing.shows},
        "since": row.since.isoformat() if row.since else None,
    }


def thing_link(words: Words, row: ThingRow) -> dict[str, str]:
    """Return a thing by its title, as a link to its page."""
    title = words.pick(row.title_zh, row.title_en, row.thing)
    return {"text": title, "href": f"/things/{row.kind}/{row.thing}"}


def shown(words: Words, one: Shown, row: ThingRow) -> Any:
    """Return what a thing shows as a cell: a number with its unit, or a moment in local time."""
    value = row.shows.get(one.name)
    if isinstance(value, str):
        return {"text": local(datetime.fromisoformat(value)), "unit": "", "sort": value}
    return number(words, value, one.unit, one.decimals)


def cause(words: Words, thing: Thing, name: str) -> str:
    """Return in words why a thing came into a state; empty where nothing else held."""
    when = next((w for s in thing.states for w in s.when if w.cause == name), None)
    if when is None:
        return ""
    if when.record in records():
        return words.of(records()[when.record].title)
    if when.alert:
        rule = find_rule(when.alert)
        return words.of(rule.title) if rule else words("things.by_alert")
    if when.reading and thing.sensors in streams():
        return words.of(streams()[thing.sensors].quantity(when.reading).title)
    if when.fact in facts():
        return words.of(facts()[when.fact].title)
    return words("things.by_silence")


def map_marks(words: Words, rows: list[ThingRow]) -> list[dict[str, Any]]:
    """Return the things that have a place as marks of the map."""
    return [_mark(words, row) for row in rows if row.lon is not None]


def _mark(words: Words, row: ThingRow) -> dict[str, Any]:
    mark, link = thing_state(words, things()[row.kind], row.state), thing_link(words, row)
    return {
        "id": f"{row.kind}/{row.thing}",
        **{"lon": row.lon, "lat": row.lat, "mark": mark["mark"]},
        "text": f"{mark['icon']} {mark['text']}".strip(),
        **{"title": link["text"], "href": link["href"]},
    }


def where_facts(words: Words, thing: Thing, row: ThingRow) -> list[tuple[str, Any]]:
    """Return where a thing is and what it is, then what it shows."""
    place = "" if row.lon is None else f"{row.lat:.5f}, {row.lon:.5f}"
    facts: list[tuple[str, Any]] = [
        (words("things.state"), thing_state(words, thing, row.state)),
        (words("things.since"), local(row.since)),
        (words("filter.district"), district_title(words, row.district)),
        (words("sensors.street"), row.street),
        (words("things.place"), place),
    ]
    if row.sensor:
        href = f"/sensors/{thing.sensors}/{row.sensor}"
        facts.append((words("sensors.sensor"), {"text": row.sensor, "href": href}))
    for attribute in thing.attributes:
        if (value := row.attributes.get(attribute.name)) is not None:
            said = f"{value:g}" if isinstance(value, float | int) else str(value)
            facts.append((words.of(attribute.title), f"{said} {attribute.unit}".strip()))
    facts += [(words.of(one.title), shown(words, one, row)) for one in thing.shows]
    return facts
