"""A dashboard's JSON as the rules see it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: where and how. ``panel`` is empty when the page itself is meant."""

    rule: str
    board: str
    panel: str
    detail: str

    def __str__(self) -> str:
        where = f"{self.board} / {self.panel}" if self.panel else self.board
        return f"{where}: {self.detail} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard, and all others by uid."""

    json: Json
    others: Mapping[str, Json]

    @property
    def uid(self) -> str:
        """Uid of this dashboard."""
        return str(self.json.get("uid"))

    @property
    def panels(self) -> list[Json]:
        """Panels that show something: all but headings."""
        return [panel for panel in self.json["panels"] if panel["type"] != "row"]

    @property
    def variables(self) -> list[Json]:
        """Choices above the page."""
        return self.json.get("templating", {}).get("list", [])

    @property
    def notes(self) -> list[Json]:
        """Queries of marks on the time axis."""
        return self.json.get("annotations", {}).get("list", [])

    def queries(self) -> Iterator[tuple[str, str]]:
        """Yield (panel title, SQL) of panels, variables and annotations."""
        for panel in self.panels:
            for target in panel.get("targets", []):
                yield panel["title"], target.get("rawSql", "")
        for item in self.variables:
            yield f"${item['name']}", item["query"]
        for note in self.notes:
            yield note["name"], note["target"]["rawSql"]


Said = Iterator[tuple[str, str]]
"""Pairs of panel title and what is wrong there."""
Rule = Callable[[Board], Said]


def properties(panel: Json, name: str) -> Iterator[Any]:
    """Yield the values of one override property of a panel."""
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for one in override["properties"]:
            if one["id"] == name:
                yield one["value"]


def strings(item: Any) -> Iterator[str]:
    """Yield every string inside JSON values."""
    if isinstance(item, str):
        yield item
    elif isinstance(item, Mapping):
        for value in item.values():
            yield from strings(value)
    elif isinstance(item, list):
        for value in item:
            yield from strings(value)
