"""城市体征: the index of every district, the tree of one, and the things that a number counts."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.index import Branch, Index, Leaf, indices
from catalog.site import site
from console.frame import Page, View, keep_fresh, panel
from console.texts import Words
from console.widgets.table import Column, Table
from engine.indices import Scored
from records.indices import CITY, Item, items_of, score_places
from service.postgres import now_of

MOST = 500
INDENT = "　"


async def index(view: View, name: str = "", place: str = CITY, leaf: str = "") -> None:
    """Show the table of districts, the tree of a place, and what one of its leaves counts."""
    words, known = view.words, indices()
    if not known:
        ui.label(words("index.none")).classes("empty")
        return
    declared = known.get(name) or next(iter(known.values()))
    there = place if place in site().districts else CITY
    with panel(words.of(declared.title), "list"):
        districts = Table(
            _district_columns(words, declared),
            label=words("index.title"),
            empty=words("app.nothing"),
        )
    with panel(_place_title(words, there), "list"):
        tree = Table(_tree_columns(words), label=words("index.tree"), empty=words("app.nothing"))
    chosen, items = declared.leaf(leaf), None
    if chosen is not None:
        with panel(f"{words.of(chosen.title)} · {_place_title(words, there)}", "list"):
            items = Table(
                _item_columns(words), label=words("index.counted"), empty=words("index.nothing")
            )

    async def read() -> None:
        scored = await view.ask(lambda conn: score_places(conn, declared, now_of(conn)))
        districts.show([_district_row(words, declared, p, s) for p, s in scored.items()])
        tree.show(list(_tree_rows(words, declared, declared.tree, scored[there], there)))
        if items is not None:
            found = await view.ask(lambda conn: _items(conn, chosen, there))
            items.show([_item_row(words, item) for item in found])

    await read()
    keep_fresh(view, read)


def _items(conn: Connection, leaf: Leaf | None, place: str) -> list[Item]:
    return items_of(conn, leaf, place, now_of(conn))[:MOST] if leaf else []


def _district_columns(words: Words, declared: Index) -> list[Column]:
    parts = [Column(part.name, words.of(part.title), "number") for part in declared.tree.parts]
    overall = Column("overall", words.of(declared.tree.title), "number")
    return [Column("place", words("index.place"), "link"), overall, *parts]


def _district_row(words: Words, declared: Index, place: str, scored: Scored) -> dict[str, Any]:
    title = _place_title(words, place)
    row: dict[str, Any] = {
        "id": place or "city",
        "place": {"text": title, "href": f"/index?name={declared.name}&place={place}"},
        "overall": _cell(words, scored),
    }
    return row | {part.name: _cell(words, part) for part in scored.parts}


def _tree_columns(words: Words) -> list[Column]:
    return [
        Column("part", words("index.part"), "link"),
        Column("score", words("index.score"), "number"),
        Column("weight", words("index.weight")),
        Column("value", words("index.value")),
        Column("known", words("index.known")),
        Column("note", words("index.note")),
    ]


def _tree_rows(
    words: Words, declared: Index, branch: Branch, scored: Scored, place: str, depth: int = 0
) -> list[dict[str, Any]]:
    rows = [_tree_row(words, declared, branch, scored, place, depth)]
    for part, below in zip(branch.parts, scored.parts, strict=True):
        if isinstance(part, Branch):
            rows += _tree_rows(words, declared, part, below, place, depth + 1)
        else:
            rows.append(_tree_row(words, declared, part, below, place, depth + 1))
    return rows


def _tree_row(
    words: Words, declared: Index, part: Branch | Leaf, scored: Scored, place: str, depth: int
) -> dict[str, Any]:
    counted, here = scored.counted, f"/index?name={declared.name}&place={place}"
    opens = f"{here}&leaf={part.name}" if isinstance(part, Leaf) else here
    value = "" if counted is None or counted.value is None else f"{counted.value:.1f}"
    return {
        "id": part.name,
        "part": {"text": INDENT * depth + words.of(part.title), "href": opens},
        "score": _cell(words, scored),
        "weight": f"{part.weight:g}",
        "value": value,
        "known": f"{counted.known}/{counted.of}" if counted and counted.of else "",
        "note": _note(words, declared, scored),
    }


def _note(words: Words, declared: Index, scored: Scored) -> str:
    titles = declared.titles()
    red = ", ".join(words.of(titles[name]) for name in scored.red)
    said = [words("index.red", what=red)] if red else []
    if scored.capped:
        said.append(words("index.capped", cap=f"{declared.cap:g}"))
    return " · ".join(said)


def _cell(words: Words, scored: Scored) -> dict[str, Any]:
    if scored.score is None:
        return {"text": words(f"index.{scored.why}"), "unit": "", "sort": -1}
    mark = "⚠ " if scored.red else ""
    return {"text": f"{mark}{scored.score:.0f}", "unit": "", "sort": scored.score}


def _item_columns(words: Words) -> list[Column]:
    return [
        Column("what", words("index.what"), "link"),
        Column("district", words("index.place")),
        Column("value", words("index.value"), "number"),
        Column("alert", words("index.alert"), "link"),
    ]


def _item_row(words: Words, item: Item) -> dict[str, Any]:
    sensor = item.kind == "sensor"
    href = f"/sensors/{item.of}/{item.id}" if sensor else f"/records/{item.of}/{item.id}"
    title = words.pick(item.title_zh, item.title_en, item.id) if sensor else item.id
    known = item.known and item.value is not None
    value = f"{item.value:.2f}" if known else words("index.incomplete")
    return {
        "id": f"{item.of}/{item.id}",
        "what": {"text": title, "href": href},
        "district": _place_title(words, item.district) if item.district else "",
        "value": {"text": value, "unit": "", "sort": item.value if known else -1},
        "alert": {"text": item.alert, "href": f"/alerts/{item.alert}"} if item.alert else None,
    }


def _place_title(words: Words, place: str) -> str:
    district = site().districts.get(place)
    return words.of(district.title) if district else words.of(site().title)


PAGE = Page("/index", "index.title", index)
