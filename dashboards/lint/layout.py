"""Grid, ids, and what fits the wall."""

import re
from collections import Counter
from itertools import combinations

from catalog.registry import systems
from dashboards.lint.board import Board, Json, Rule, Said

COLUMNS = 24
WALL_ROWS = 27
"""Grid rows of 38 pixels that 1080 pixels hold in kiosk mode; 2160 hold twice as many."""
WALL_PANELS = 8
UID = re.compile(r"[a-z0-9-]{1,40}")


def within_grid(board: Board) -> Said:
    """A panel ends at column 24 at most and has a size."""
    for panel in board.json["panels"]:
        at = panel["gridPos"]
        if at["x"] < 0 or at["x"] + at["w"] > COLUMNS or at["w"] < 1 or at["h"] < 1:
            yield panel["title"], f"lies at {at}"


def no_overlap(board: Board) -> Said:
    """No two panels cover the same cell."""
    for one, other in combinations(board.json["panels"], 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield one["title"], f"overlaps {other['title']}"


def one_screen(board: Board) -> Said:
    """The wall has few panels and ends at the screen's lower edge."""
    if "l0" not in board.json["tags"]:
        return
    most = WALL_PANELS + len(systems())
    if len(board.panels) > most:
        yield "", f"{len(board.panels)} panels, more than {most}"
    end = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in board.panels)
    if end > WALL_ROWS:
        yield "", f"ends at row {end}, the screen at {WALL_ROWS}"


def ids(board: Board) -> Said:
    """Uid and panel ids are there, short and unique: links and alert rules name them."""
    if not UID.fullmatch(board.uid):
        yield "", f"uid {board.uid!r} is not 1 to 40 of a-z, 0-9 and -"
    counted = Counter(panel.get("id") for panel in board.json["panels"])
    for panel in board.json["panels"]:
        if not isinstance(panel.get("id"), int) or counted[panel["id"]] > 1:
            yield panel["title"], f"id {panel.get('id')} is missing or used twice"


def _overlap(a: Json, b: Json) -> bool:
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (beside or below)


LAYOUT: dict[str, Rule] = {
    "within-grid": within_grid,
    "no-overlap": no_overlap,
    "one-screen": one_screen,
    "ids": ids,
}
