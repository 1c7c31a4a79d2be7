"""The strip of vital signs: one number per stream, coloured only when abnormal."""

from typing import Any

from nicegui.element import Element

from console.live import Row
from console.marks import number, shown_unit, state_mark
from console.texts import Words


class VitalSigns(Element, component="vitals.js"):
    """Tiles of ``id, title, text, unit, mark, icon, state, alerts, href``."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._props["label"] = label
        self._props["tiles"] = []

    def show(self, tiles: list[dict[str, Any]]) -> None:
        """Show these tiles; nothing is sent when they are the same as before."""
        if tiles != self._props["tiles"]:
            self._props["tiles"] = tiles
            self.update()


def vital_signs(words: Words, rows: list[Row]) -> list[dict[str, Any]]:
    """Return one tile per stream from ``dash.vital_signs()``."""
    return [_tile(words, row) for row in rows]


def _tile(words: Words, row: Row) -> dict[str, Any]:
    state = state_mark(words, row["state"])
    value = number(words, row["value"], row["unit"], row["decimals"])
    return {
        "id": row["stream"],
        "domain": row["domain"],
        "title": words.pick(row["title_zh"], row["title_en"], row["stream"]),
        "text": value["text"] if value else "–",
        "unit": shown_unit(row["unit"]),
        "mark": row["state"],
        "icon": state["icon"],
        "state": state["text"],
        "alerts": row["alerts"],
        "href": f"/streams/{row['stream']}",
    }
