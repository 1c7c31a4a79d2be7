"""A board: columns of cards, each a link; arrow keys go from card to card."""

from dataclasses import asdict, dataclass

from nicegui.element import Element


@dataclass(frozen=True, slots=True)
class Card:
    """One card; ``late`` is what marks it beside the colour, empty when it is in time."""

    id: str
    href: str
    text: str
    due: str
    late: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One column: the first ``cards`` of ``count``, of which ``late`` in words are late."""

    name: str
    title: str
    href: str
    count: int
    late: str
    cards: tuple[Card, ...]
    more: str
    """Where the rest is, when there is one."""


class Board(Element, component="board.js"):
    """Columns beside each other on a desk, below each other on a phone."""

    def __init__(self, *, label: str, empty: str) -> None:
        super().__init__()
        self._props["label"] = label
        self._props["empty"] = empty
        self._props["lanes"] = []

    def show(self, lanes: list[Lane]) -> None:
        """Show these columns; nothing is sent when they are the same as before."""
        rows = [asdict(lane) for lane in lanes]
        if rows != self._props["lanes"]:
            self._props["lanes"] = rows
            self.update()
