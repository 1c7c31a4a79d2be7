"""Only what Grafana 10.1 and all later ones know, in the form in which they know it.

``model.yaml`` writes the model down; unknown names are ignored by Grafana without a word, so that
a typing error would never show.
"""

from collections.abc import Iterator
from itertools import pairwise

from grafana_foundation_sdk.models import units as sdk_units

from catalog.site import site
from dashboards.lint.board import Board, Json, Rule, Said, properties
from dashboards.lint.shapes import model, strange
from dashboards.page import SCHEMA_VERSION

OWN_UNIT = ("suffix:", "prefix:", "time:")
UNITS = {unit for name, unit in vars(sdk_units).items() if name[0].isupper()} | {"dateTimeAsLocal"}


def schema(board: Board) -> Said:
    """The page says which schema it is written in, cannot be edited and is in local time."""
    if board.json.get("schemaVersion") != SCHEMA_VERSION:
        yield "", f"schema {board.json.get('schemaVersion')}, not {SCHEMA_VERSION}"
    if board.json.get("editable") is not False:
        yield "", "can be edited: the change would be lost"
    if board.json.get("timezone") != site().zone:
        yield "", "is not in local time"


def known_fields(board: Board) -> Said:
    """Every name is in the model, every value of its type, and nothing that must be is missing."""
    known = model("model")
    for detail in strange({**board.json, "panels": []}, "Dashboard", known):
        yield "", detail
    for panel in board.json["panels"]:
        for detail in _panel(panel):
            yield str(panel.get("title")), detail


def thresholds(board: Board) -> Said:
    """Steps begin with null, which stands for minus infinity, and go up from there."""
    for panel in board.panels:
        own = panel["fieldConfig"]["defaults"].get("thresholds")
        for one in filter(None, (own, *properties(panel, "thresholds"))):
            values = [step.get("value") for step in one["steps"]]
            numbers = [value for value in values[1:] if value is not None]
            falls = any(low >= high for low, high in pairwise(numbers))
            if not values or values[0] is not None or len(numbers) < len(values) - 1 or falls:
                yield panel["title"], f"steps do not rise from null: {values}"


def units_known(board: Board) -> Said:
    """A unit is one of Grafana's, or a text of our own before or behind the number."""
    for panel in board.panels:
        own = panel["fieldConfig"]["defaults"]
        named = [own["unit"]] if "unit" in own else []
        for unit in (*named, *properties(panel, "unit")):
            if unit not in UNITS and not str(unit).startswith(OWN_UNIT):
                yield panel["title"], f"unit {unit!r} is none of Grafana's"


def _panel(panel: Json) -> Iterator[str]:
    known, kind = model("model"), str(panel.get("type"))
    if kind == "row":
        yield from strange(panel, "Row", known)
        return
    yield from strange(panel, "Panel", known)
    if (options := f"{kind.capitalize()}Options") not in known:
        return
    yield from strange(panel.get("options"), options, known, "options")
    fields = {f"custom.{name}": of for name, of in known[f"{kind.capitalize()}Custom"].items()}
    config = panel.get("fieldConfig", {})
    own = config.get("defaults", {}).get("custom", {})
    yield from strange(own, f"{kind.capitalize()}Custom", known, "custom")
    for override in config.get("overrides", []):
        yield from _properties(override.get("properties", []), {**known["Field"], **fields})


def _properties(found: list[Json], fields: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with an override's properties: an ``id`` of the model, its value."""
    for one in found:
        if one.keys() != {"id", "value"}:
            yield f"an override's property is {sorted(one)}, not id and value"
        elif one["id"] not in fields:
            yield f"{one['id']} is not known"
        else:
            yield from strange(one["value"], fields[one["id"]], model("model"), one["id"])


MODEL: dict[str, Rule] = {
    "schema": schema,
    "known-fields": known_fields,
    "thresholds": thresholds,
    "units-known": units_known,
}
