"""The strip of vital signs: one number per stream, of the worst sensor, coloured when abnormal."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from nicegui.element import Element

from catalog.severity import LEVELS
from console.live import Row, Snapshot
from console.marks import number, shown_unit, state_mark
from console.registry import stream_title
from console.texts import Words
from dashboards.wall import HOURS, Vital

LEVEL_BY_COLOUR = {level.colour: level for level in LEVELS.values()}
REMARK = re.compile(r"\s*[（(][^）)]*[）)]")


class VitalSigns(Element, component="vitals.js"):
    """Tiles of ``id, title, text, unit, mark, icon, state, alerts, href``.

    ``of`` says of which quantity and sensor the number is, ``hint`` the same at length. For a wall
    also ``points`` (values of the trend, null = gap), ``span`` (its first and last moment),
    ``limit`` (mark and icon of the level that the number itself has crossed) and ``foot``.
    """

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
    return [vital_tile(words, row) for row in rows]


def vital_tile(words: Words, row: Row) -> dict[str, Any]:
    """Return the tile of one stream: its number now, and of which quantity and sensor it is."""
    name = "never" if row["value"] is None and row["state"] == "normal" else row["state"]
    state = state_mark(words, name)
    value = number(words, row["value"], row["unit"], row["decimals"])
    quantity, where = words.pick(row["title_zh"], row["title_en"]), sensor_name(words, row)
    return {
        "id": row["stream"],
        "domain": row["domain"],
        "title": words.of(stream_title(row["stream"])),
        "text": value["text"] if value else "–",
        "unit": shown_unit(row["unit"]),
        "of": f"{where} · {quantity}",
        "hint": f"{quantity} · {where}",
        "quantity": quantity,
        "where": where,
        "mark": name,
        "icon": state["icon"],
        "state": state["text"],
        "alerts": row["alerts"],
        "href": f"/streams/{row['stream']}",
    }


def sensor_name(words: Words, row: Row) -> str:
    """Return whose number it is, without what the tile says already; the city where nobody's."""
    if row["worst_sensor"] is None:
        return words("wall.city")
    name = REMARK.sub("", words.pick(row["worst_zh"], row["worst_en"], row["worst_sensor"]))
    stream = words.of(stream_title(row["stream"]))
    short = re.sub(re.escape(stream), " ", name, flags=re.IGNORECASE)
    return " ".join(short.split()) or name


def wall_tiles(words: Words, vitals: tuple[Vital, ...], now: Snapshot) -> list[dict[str, Any]]:
    """Return the tiles of one row of the wall, in its order, with trend and freshness."""
    signs = {row["stream"]: row for row in now.vital_signs}
    fresh = {row["stream"]: row for row in now.freshness}
    found = []
    for vital in vitals:
        name = vital.stream.name
        if name not in signs:
            continue
        heard = fresh[name]
        foot = {"text": f"{heard['fresh']}/{heard['sensors']}", "newest": _iso(heard)}
        found.append(
            _named(vital_tile(words, signs[name]))
            | {"points": trend_of(now, name), "span": _span(now), "foot": foot, "href": None}
            | {"limit": crossed(vital, signs[name]["value"]) if signs[name]["headline"] else None}
        )
    return found


def _named(tile: dict[str, Any]) -> dict[str, Any]:
    """Return a tile whose title says the quantity as well, so that the place has its own line."""
    stream, quantity = tile["title"], REMARK.sub("", tile["quantity"])
    title = quantity if stream in quantity else f"{stream} {quantity}"
    return tile | {"title": title, "of": tile["where"]}


def trend_of(now: Snapshot, stream: str) -> list[Any]:
    """Return the trend of a stream's vital sign as [time, value] pairs."""
    rows = [row for row in now.trends if row["stream"] == stream]
    return [[row["time"].isoformat(), row["value"]] for row in rows]


def crossed(vital: Vital, value: float | None) -> dict[str, str] | None:
    """Return mark and icon of the level whose declared limit the number has crossed, if any."""
    colour = ""
    for edge, beyond in vital.limits:
        if value is not None and (edge is None or value >= edge):
            colour = beyond
    level = LEVEL_BY_COLOUR.get(colour)
    return {"mark": level.severity.name.lower(), "icon": level.icon} if level else None


def limit_lines(vital: Vital) -> list[dict[str, Any]]:
    """Return the declared limits of the headline as lines of a chart."""
    found = []
    for (_, before), (edge, beyond) in zip(vital.limits, vital.limits[1:], strict=False):
        levels = [LEVEL_BY_COLOUR[c] for c in (before, beyond) if c in LEVEL_BY_COLOUR]
        if levels and edge is not None:
            worst = min(levels, key=lambda level: level.severity)
            mark = worst.severity.name.lower()
            found.append({"value": edge, "mark": mark, "icon": worst.icon})
    return found


def _span(now: Snapshot) -> list[str]:
    """Return the hours that every line of the wall is drawn over, by the whole minute."""
    end = (now.at or datetime.now(UTC)).replace(second=0, microsecond=0)
    return [(end - timedelta(hours=HOURS)).isoformat(), end.isoformat()]


def _iso(row: Row) -> str | None:
    newest = row["newest_observed_at"]
    return newest.isoformat() if newest else None
