"""One dashboard in the making: explicit grid, stable panel ids, a description on every panel."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import dashboard as sdk
from grafana_foundation_sdk.models import dashboard as model

from catalog.model import Text
from catalog.site import site
from dashboards.query import DATASOURCE, SqlTarget, jsonable, rows
from dashboards.texts import LANGUAGES, Lang, pick, say

TAG = "cityops"
UID_LIMIT = 40
SCHEMA_VERSION = 38
"""Schema of Grafana 10.1, the oldest that is served; newer ones migrate what they load."""
UNASKED = frozenset(
    (
        *("allowCustomValue", "auto", "auto_count", "auto_min", "percentChangeColorMode"),
        *("repeatDirection", "showPercentChange", "perPage"),
    )
)
"""What the SDK writes unasked and 10.1 does not know, or means for another kind of variable."""
NOTE_TARGET = {"limit": 100, "matchAny": False, "tags": [], "type": "dashboard"}
"""What the models want of every annotation's target; only Grafana's own data source looks at it."""
TIMES = ("1h", "3h", "6h", "24h", "7d", "30d")
UP_ICON, OTHER_ICON = "dashboard", "doc"
"""Icons of the few that Grafana draws before a link; any other name leaves the place empty."""


@dataclass(frozen=True, slots=True)
class At:
    """A panel's place on the grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


def uid(kind: str, name: str = "", lang: Lang = "zh") -> str:
    """Return a dashboard's uid: at most 40 characters, the same for ever, one per language."""
    whole = "-".join(part for part in ("cityops", kind, name) if part).replace("_", "-")
    tail = "" if lang == "zh" else f"-{lang}"
    if len(whole) + len(tail) > UID_LIMIT:
        mark = f"-{zlib.crc32(whole.encode()):08x}"
        whole = whole[: UID_LIMIT - len(tail) - len(mark)] + mark
    return whole + tail


def panel_id(key: str) -> int:
    """Return a panel's id: from its name, so that order and neighbours do not matter."""
    return 1 + zlib.crc32(key.encode()) % 1_000_000


@dataclass(frozen=True, slots=True)
class Note:
    """Marks on the time axis: a text of the catalogue, the query, their colour."""

    key: str
    sql: str
    colour: str
    shown: bool = True


@dataclass
class Page:
    """Collects the panels, variables and links of one dashboard in one language."""

    lang: Lang
    kind: str
    title: str
    question: str
    name: str = ""
    refresh: str = "1m"
    since: str = "now-6h"
    until: str = "now"
    tags: tuple[str, ...] = ()
    parent: str = ""
    parent_name: str = ""
    panels: list[Any] = field(default_factory=list)
    variables: list[Any] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def uid(self) -> str:
        """Uid of this page."""
        return uid(self.kind, self.name, self.lang)

    def say(self, key: str) -> str:
        """Return a text of the catalogue in this page's language."""
        return say(key, self.lang)

    def pick(self, item: Text) -> str:
        """Return a text of the city catalog in this page's language."""
        return pick(item, self.lang)

    def add(
        self,
        key: str,
        panel: Any,
        at: At,
        *targets: SqlTarget,
        title: str | None = None,
        about: str | None = None,
        act: str | None = None,
        min_step: str | None = None,
        points: int | None = None,
        to: Sequence[sdk.DashboardLink] = (),
        nothing: str = "nodata",
    ) -> None:
        """Place a panel; title, description and what to do come from the catalogue by ``key``.

        ``to``: where its heading leads; tables and maps rather link their values. ``nothing``: what
        stands where there is no value, a key of the catalogue.
        """
        panel.id(panel_id(f"{self.kind}/{key}")).title(title or self.say(key))
        panel.description(
            self._describe(about or self.say(f"{key}.d"), act or self.say(f"{key}.a"))
        )
        panel.grid_pos(model.GridPos(h=at.h, w=at.w, x=at.x, y=at.y))
        panel.datasource(DATASOURCE)
        panel.no_value(self.say(nothing))
        for target in targets:
            panel.with_target(target)
        if min_step:
            panel.interval(min_step)
        if points:
            panel.max_data_points(points)
        if to:
            panel.links(list(to))
        self.panels.append(panel)

    def variable(
        self, key: str, query: str, *, name: str, current: tuple[str, str], hide: bool = False
    ) -> None:
        """Offer a choice from SQL; ``current`` is (text, value) before anyone chooses."""
        shown, value = current
        self.variables.append(
            sdk.QueryVariable(name)
            .label(self.say(key))
            .datasource(DATASOURCE)
            .query(query)
            .definition(query)
            .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
            .sort(model.VariableSort.DISABLED)
            .multi(False)
            .include_all(False)
            .hide(model.VariableHide.HIDE_VARIABLE if hide else model.VariableHide.DONT_HIDE)
            .current(model.VariableOption(selected=True, text=shown, value=value))
        )

    def build(self) -> dict[str, Any]:
        """Return the dashboard's JSON, ready for file provisioning."""
        board = (
            sdk.Dashboard(self.title)
            .uid(self.uid)
            .description(self.question)
            .tags([TAG, self.lang, *self.tags])
            .timezone(site().zone)
            .refresh(self.refresh)
            .time(self.since, self.until)
            .timepicker(self._times())
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .readonly()
            .week_start("monday")
            .links(list(self._links()))
        )
        for variable in self.variables:
            board.with_variable(variable)
        for note in self.notes:
            board.annotation(self._annotation(note))
        for panel in self.panels:
            board.with_panel(panel)
        made = _clean(jsonable(board.build()))
        _complete(made)
        return made | {"schemaVersion": SCHEMA_VERSION}

    def _times(self) -> sdk.TimePicker:
        """Offer times by names in the page's language: Grafana has none for them but English."""
        offered = [
            sdk.TimeOption().display(self.say(f"time.{back}")).from_val(f"now-{back}").to("now")
            for back in TIMES
        ]
        return (
            sdk.TimePicker()
            .refresh_intervals(["10s", "30s", "1m", "5m", "15m"])
            .quick_ranges(list(offered))
        )

    def _describe(self, about: str, act: str) -> str:
        stop = "。" if self.lang == "zh" else "."
        colon = "：" if self.lang == "zh" else ": "
        refresh = self.refresh or "–"
        return (
            f"{about}\n\n{self.say('d.act')}{colon}{act}{stop}\n"
            f"{self.say('d.source')}{colon}TimescaleDB dash.* · "
            f"{self.say('d.refresh')}{colon}{refresh}"
        )

    def _annotation(self, note: Note) -> sdk.AnnotationQuery:
        return (
            sdk.AnnotationQuery()
            .name(self.say(note.key))
            .datasource(DATASOURCE)
            .enable(note.shown)
            .icon_color(note.colour)
            .target(rows(note.sql, "Anno"))  # pyright: ignore[reportArgumentType]
        )

    def _links(self) -> list[Any]:
        links = []
        if self.parent:
            up = uid(self.parent, self.parent_name, self.lang)
            links.append(_page_link(self.say("l.up"), up, UP_ICON))
        for key, tag in (("l.domains", "l1"), ("l.streams", "stream"), ("l.tools", "tools")):
            links.append(
                sdk.DashboardLink(self.say(key))
                .type(model.DashboardLinkType.DASHBOARDS)
                .tags([TAG, self.lang, tag])
                .as_dropdown(True)
                .keep_time(True)
                .include_vars(True)
            )
        for other in LANGUAGES:
            if other != self.lang:
                there = uid(self.kind, self.name, other)
                links.append(_page_link(self.say("l.other"), there, OTHER_ICON))
        return links


def _page_link(title: str, target: str, icon: str) -> sdk.DashboardLink:
    return (
        sdk.DashboardLink(title)
        .type(model.DashboardLinkType.LINK)
        .icon(icon)
        .url(f"/d/{target}")
        .keep_time(True)
        .include_vars(True)
    )


def drill(title: str, target: str, variables: str = "${__all_variables}") -> sdk.DashboardLink:
    """Return a link from a panel or value to another page, with the time and ``variables``."""
    parts = "&".join(part for part in ("${__url_time_range}", variables) if part)
    return sdk.DashboardLink(title).url(f"/d/{target}?{parts}")


def row(title: str, y: int, key: str) -> sdk.Row:
    """Return an open heading row."""
    return (
        sdk.Row(title)
        .id(panel_id(f"row/{key}"))
        .grid_pos(model.GridPos(h=1, w=24, x=0, y=y))
        .collapsed(False)
    )


def _clean(item: Any) -> Any:
    """Drop empty fields, and those that not every Grafana from 10.1 on takes the same way."""
    if isinstance(item, dict):
        # a newer Grafana would hide links and marks by their ``placement``; a legend needs its own
        menu = {"placement"} if {"asDropdown", "iconColor"} & item.keys() else set[str]()
        late = UNASKED | menu
        kept = {k: v for k, v in item.items() if k not in late}
        return {k: _clean(v) for k, v in kept.items() if v is not None or k == "value"}
    return [_clean(v) for v in item] if isinstance(item, list) else item


def _complete(board: dict[str, Any]) -> None:
    """Add what the models of 10.1 and 13 require, reduce links of values to what these have."""
    board["templating"].setdefault("list", [])
    for link in board["links"]:
        link.setdefault("url", "")
    for note in board.get("annotations", {}).get("list", []):
        note["target"] |= NOTE_TARGET
    for panel in board["panels"]:
        if panel["type"] != "row":
            panel.setdefault("transformations", [])
            field = panel["fieldConfig"]["defaults"]
            if "links" in field:
                field["links"] = [{k: one[k] for k in ("title", "url")} for one in field["links"]]
