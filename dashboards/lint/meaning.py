"""Titles, descriptions, units, colours: what a reader sees."""

import re

from catalog.severity import LEVELS, NORMAL_COLOUR, STALE_COLOUR, STATES
from dashboards.lint.board import Board, Json, Rule, Said, properties, strings
from dashboards.looks import PLAIN, TILE
from dashboards.maps import GROUND
from dashboards.panels import BAND, LINE
from dashboards.texts import LANGUAGES, say

COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")
PALETTE = {
    *(level.colour for level in LEVELS.values()),
    *(state.colour for state in STATES),
    *(colour for _, colour in PLAIN),
    *(colour for colour, _ in GROUND.values()),
    *(NORMAL_COLOUR, STALE_COLOUR, LINE, BAND, TILE),
}
NUMBERS = ("stat", "timeseries")


def described(board: Board) -> Said:
    """A page asks its question; a panel tells what, what to do, from where, how often."""
    if not board.json.get("title") or not board.json.get("description"):
        yield "", "has no title or no question"
    keys = ("d.act", "d.source", "d.refresh")
    wanted = [[say(key, lang) for key in keys] for lang in LANGUAGES if lang in board.json["tags"]]
    for panel in board.panels:
        text = panel.get("description", "")
        if not panel.get("title"):
            yield str(panel.get("id")), "has no title"
        for word in (word for words in wanted for word in words if word not in text):
            yield panel["title"], f"description lacks {word!r}"


def units(board: Board) -> Said:
    """A number has a unit and decimals (an axis its own), and there is a word for no value."""
    for panel in board.panels:
        defaults = panel["fieldConfig"]["defaults"]
        needed = {"unit", "decimals"} if panel["type"] == "stat" else {"unit"}
        if panel["type"] in NUMBERS and not needed <= defaults.keys():
            yield panel["title"], "numbers without unit or decimals"
        if not defaults.get("noValue"):
            yield panel["title"], "nothing to say when there is no value"


def colours(board: Board) -> Said:
    """Every colour is one of the catalog's few."""
    for panel in board.panels:
        used = {c for text in strings(panel) for c in COLOUR.findall(text)}
        if strange := used - PALETTE:
            yield panel["title"], f"colours of its own: {sorted(strange)}"
    for note in board.notes:
        if note["iconColor"] not in PALETTE:
            yield note["name"], f"colour of its own: {note['iconColor']}"


def never_colour_alone(board: Board) -> Said:
    """Beside a mapped colour stands text; a severity's or state's text begins with its icon."""
    icon_of = {state.colour: [] for state in STATES} | {v.colour: [] for v in LEVELS.values()}
    for item in (*STATES, *LEVELS.values()):
        icon_of[item.colour].append(item.icon)
    for panel in board.panels:
        for colour, text in _mapped(panel):
            icons = [icon for icon in icon_of.get(colour, []) if colour != STALE_COLOUR]
            if not text or (icons and text[0] not in {*icons, "✕", "?"}):
                yield panel["title"], f"{colour} stands for {text!r} without an icon"


def both_languages(board: Board) -> Said:
    """A page is there in each language with the same panels in the same places."""
    for lang in LANGUAGES:
        base = board.uid.removesuffix("-en")
        there = board.others.get(base if lang == "zh" else f"{base}-{lang}")
        if there is None:
            yield "", f"is missing in {lang}"
        elif _places(there) != _places(board.json):
            yield "", f"has other panels in {lang}"


def _places(board: Json) -> list[tuple[int | None, tuple[int, ...]]]:
    return [(p.get("id"), tuple(p["gridPos"].values())) for p in board["panels"]]


def _mapped(panel: Json) -> list[tuple[str, str]]:
    own = panel["fieldConfig"]["defaults"].get("mappings", [])
    found = [one for maps in (own, *properties(panel, "mappings")) for one in maps]
    return [
        (result["color"], result.get("text", ""))
        for one in found
        for result in one["options"].values()
        if result.get("color")
    ]


MEANING: dict[str, Rule] = {
    "described": described,
    "units": units,
    "colours": colours,
    "never-colour-alone": never_colour_alone,
    "both-languages": both_languages,
}
