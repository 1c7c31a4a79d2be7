"""A dense table whose rows are data: cells know links, levels, ages, numbers and actions."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments, Handler, handle_event

from catalog.site import zone
from console.widgets.sheet import sheet
from console.workbook import MEDIA_TYPE, workbook

Kind = Literal["text", "link", "level", "state", "age", "time", "number", "actions"]
Row = dict[str, Any]
LOADING = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``hide`` drops it on narrow screens.

    | kind | what a row holds under ``key`` |
    |---|---|
    | text | a string |
    | link | ``{"text", "href"}``; ``sub``, e.g. a place, stands below it on narrow screens |
    | level, state | ``{"mark", "icon", "text"}`` (see ``console.marks``) |
    | age, time | ISO time; shown as seconds since, or as local time |
    | number | ``{"text", "unit", "sort"}`` |
    | actions | list of ``{"act", "text"}``, each a button |
    """

    key: str
    label: str
    kind: Kind = "text"
    hide: bool = False
    width: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """A button that was pressed in a row."""

    name: str
    row: str


class Table(Element, component="table.js"):
    """Rows are dictionaries with a unique ``id``; ``mark`` colours the row's edge.

    ``selectable`` adds check boxes; ``selected`` then holds the ids chosen.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        label: str,
        empty: str,
        on_act: Callable[[Act], Any] | None = None,
        on_select: Callable[[list[str]], Any] | None = None,
    ) -> None:
        super().__init__()
        self._columns, self._unit = columns, ""
        self._props["columns"] = [asdict(column) for column in columns]
        self._props["rows"] = None
        self._props["label"] = label
        self._props["empty"] = empty
        self._props["loading"] = LOADING
        self._props["selectable"] = on_select is not None
        self.selected: list[str] = []
        self._on_select = on_select
        self.on("book", lambda event: self._save(event.args))
        if on_act:
            self.on("act", lambda event: _call(on_act, event, Act(*event.args)))
        if on_select:
            self.on("select", self._selected)

    def show(self, rows: list[Row]) -> None:
        """Show these rows; nothing is sent when they are the same as before."""
        if rows != self._props["rows"]:
            self._props["rows"] = rows
            self.update()

    def download(self) -> None:
        """Save the rows as CSV in this browser: with a BOM for Excel, local times, names."""
        self.run_method("download")

    def download_book(self, unit: str) -> None:
        """Save the rows as a workbook in this browser, in the order shown there.

        Numbers are numbers, times the city's; ``unit`` heads the columns of units.
        """
        self._unit = unit
        self.run_method("book")

    def _save(self, order: list[str]) -> None:
        rows = {row["id"]: row for row in self._props["rows"] or []}
        shown = [rows[one] for one in order if one in rows]
        book = workbook(self._props["label"], *sheet(self._columns, shown, self._unit))
        name = f"{self._props['label']} {datetime.now(zone()):%Y-%m-%d %H%M%S}.xlsx"
        ui.download.content(book, name, MEDIA_TYPE)

    def on_select(self, tell: Callable[[list[str]], Any]) -> None:
        """Call ``tell`` with the ids chosen, whenever that changes."""
        self._on_select = tell

    def _selected(self, event: GenericEventArguments) -> None:
        self.selected = list(event.args)
        if self._on_select:
            handle_event(lambda _: self._on_select and self._on_select(self.selected), event)


def _call(handler: Callable[[Act], Any], event: GenericEventArguments, act: Act) -> None:
    wrapped: Handler[GenericEventArguments] = lambda _: handler(act)  # noqa: E731
    handle_event(wrapped, event)
