"""What a picture must not do: move, thin out, hide or discolour what it shows."""

import re

from catalog.severity import LEVELS
from dashboards.lint.board import Board, Json, Rule, Said

LABELLED = re.compile(r"\bAS metric\b", re.IGNORECASE)
SPANS = ("dash.incident_notes(", "dash.maintenance(")
"""The few things that may be drawn as spans of time: there are never many of them."""
RAW = {"lon", "lat", "stream", "sensor", "district"}
LEAST_GAP_MS = 15_000


def tiles(board: Board) -> Said:
    """A number keeps its layout, its size and an own scale; its line is a frame of its own."""
    for panel in board.panels:
        if panel["type"] != "stat":
            continue
        options = panel["options"]
        if options.get("wideLayout") is not False or not options.get("text", {}).get("valueSize"):
            yield panel["title"], "layout or size of letters are left to Grafana"
        if options["graphMode"] == "none":
            continue
        if panel["fieldConfig"]["defaults"].get("fieldMinMax") is not True:
            yield panel["title"], "its lines share one scale"
        if any(LABELLED.search(target["rawSql"]) for target in panel["targets"]):
            yield panel["title"], "its lines are joined: sorted by name, with nulls between points"


def gaps(board: Board) -> Said:
    """A line runs through the pauses between readings and breaks at a true gap."""
    for panel in board.panels:
        if panel["type"] == "timeseries":
            gap = panel["fieldConfig"]["defaults"]["custom"].get("spanNulls")
            if isinstance(gap, bool) or not gap or gap < LEAST_GAP_MS:
                yield panel["title"], f"spanNulls is {gap}"


def limit_colours(board: Board) -> Said:
    """Limits are lines in the colour of their level, not dashes in that of the step above."""
    wanted = {f"/^{level.icon} /": level.colour for level in LEVELS.values()}
    for panel in board.panels:
        if "thresholdsStyle" in panel["fieldConfig"]["defaults"].get("custom", {}):
            yield panel["title"], "thresholdsStyle takes the colour of the step above"
        limits = any(_is_limits(target) for target in panel.get("targets", []))
        if limits and not wanted.items() <= _fixed_colours(panel).items():
            yield panel["title"], "limits without the colours of their levels"


def quiet_marks(board: Board) -> Said:
    """Alerts are off until somebody asks for them, and what is many is drawn as points."""
    for note in board.notes:
        sql = note["target"]["rawSql"]
        if "dash.notes(" in sql and note["enable"]:
            yield note["name"], "covers the charts in a storm"
        if "timeend" in sql and not any(one in sql for one in SPANS):
            yield note["name"], "draws spans, of which there may be many"


def _is_limits(target: Json) -> bool:
    return target["refId"] == "L" or "dash.limits(" in target["rawSql"]


def _fixed_colours(panel: Json) -> dict[str, str]:
    return {
        override["matcher"]["options"]: one["value"]["fixedColor"]
        for override in panel["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "color" and "fixedColor" in one["value"]
    }


def maps(board: Board) -> Said:
    """A map is fitted to what is on it, names lie on top, and no raw key is in its tooltip."""
    for panel in board.panels:
        if panel["type"] != "geomap":
            continue
        options = panel["options"]
        if options["view"]["id"] != "fit" or not options["view"].get("allLayers"):
            yield panel["title"], "is not fitted: the city may be cut off"
        if "text" not in options["layers"][-1]["config"]["style"]:
            yield panel["title"], "names lie under the sensors"
        if any(layer["config"].get("showLegend") for layer in options["layers"]):
            yield panel["title"], "Grafana's legend tells levels as numbers"
        hidden = {
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            for one in override["properties"]
            if one["id"] == "custom.hideFrom" and one["value"]["tooltip"]
        }
        if shown := RAW - hidden:
            yield panel["title"], f"shows raw {sorted(shown)} in its tooltip"


PICTURES: dict[str, Rule] = {
    "tiles": tiles,
    "gaps": gaps,
    "limit-colours": limit_colours,
    "quiet-marks": quiet_marks,
    "maps": maps,
}
