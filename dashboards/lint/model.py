"""Only what Grafana 10.1 and all later ones know: panel types, fields, schema.

The names below are those of the dashboard model and of the panels' own models in 10.1; unknown
names are ignored by Grafana without a word, so that a typing error would never show.
"""

from collections.abc import Iterable, Mapping

from dashboards.lint.board import Board, Json, Rule, Said
from dashboards.page import SCHEMA_VERSION


def _names(text: str) -> set[str]:
    return set(text.split())


BOARD = _names(
    "annotations description editable fiscalYearStartMonth graphTooltip id links panels refresh"
    " schemaVersion tags templating time timepicker timezone title uid version weekStart"
)
PANEL = _names(
    "collapsed datasource description fieldConfig gridPos id interval links maxDataPoints options"
    " panels targets title transformations transparent type"
)
TARGET = _names("datasource editorMode format rawQuery rawSql refId")
LINK = _names("asDropdown icon includeVars keepTime tags targetBlank title tooltip type url")
VARIABLE = _names(
    "allValue auto auto_count auto_min current datasource definition hide includeAll label multi"
    " name options query refresh regex skipUrlSync sort type"
)
NOTE = _names("builtIn datasource enable hide iconColor name target")
FIELD = _names("color custom decimals displayName links mappings max min noValue thresholds unit")
CUSTOM = _names(
    "align axisPlacement cellOptions drawStyle fillBelowTo fillOpacity hidden hideFrom inspect"
    " lineInterpolation lineStyle lineWidth pointSize showPoints spanNulls stacking"
    " thresholdsStyle width"
)
OPTIONS = {
    "stat": _names("colorMode graphMode justifyMode orientation reduceOptions textMode"),
    "timeseries": _names("legend tooltip"),
    "table": _names("cellHeight footer frameIndex showHeader showTypeIcons"),
    "geomap": _names("basemap controls layers tooltip view"),
    "row": _names(""),
}
"""Panel types that are there from 10.1 to 13, with their options."""


def schema(board: Board) -> Said:
    """The page says which schema it is written in, cannot be edited and is in local time."""
    if board.json.get("schemaVersion") != SCHEMA_VERSION:
        yield "", f"schema {board.json.get('schemaVersion')}, not {SCHEMA_VERSION}"
    if board.json.get("editable") is not False:
        yield "", "can be edited: the change would be lost"
    if board.json.get("timezone") != "Asia/Shanghai":
        yield "", "is not in local time"


def known_fields(board: Board) -> Said:
    """No field that 10.1 does not know."""
    yield from _strange("", board.json, BOARD)
    for link in board.json.get("links", []):
        yield from _strange(f"link {link['title']}", link, LINK)
    for item in board.variables:
        yield from _strange(f"${item['name']}", item, VARIABLE)
    for note in board.notes:
        yield from _strange(note["name"], note, NOTE)
        yield from _strange(note["name"], note["target"], TARGET)
    for panel in board.json["panels"]:
        yield from _panel(panel)


def _panel(panel: Json) -> Said:
    title = panel["title"]
    if panel["type"] not in OPTIONS:
        yield title, f"panel type {panel['type']} is not there from 10.1 to 13"
        return
    yield from _strange(title, panel, PANEL)
    yield from _strange(title, panel.get("options", {}), OPTIONS[panel["type"]])
    for target in panel.get("targets", []):
        yield from _strange(title, target, TARGET)
    for link in panel.get("links", []):
        yield from _strange(title, link, LINK)
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    yield from _strange(title, defaults, FIELD)
    yield from _strange(title, defaults.get("custom", {}), CUSTOM)
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        names = (one["id"] for one in override["properties"])
        yield from _strange(title, dict.fromkeys(names), {*FIELD, *_dotted(CUSTOM)})


def _dotted(names: Iterable[str]) -> set[str]:
    return {f"custom.{name}" for name in names}


def _strange(where: str, item: Mapping[str, object], known: set[str]) -> Said:
    if strange := sorted(item.keys() - known):
        yield where, f"10.1 does not know {', '.join(strange)}"


MODEL: dict[str, Rule] = {"schema": schema, "known-fields": known_fields}
