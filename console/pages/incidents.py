"""The list of incidents: alerts of one cause, by response level."""

from typing import Any, Literal

from nicegui import ui

from alerts.incident.queries import Summary, list_incidents, outermost
from catalog.incident import incident_kinds
from console.frame import Page, View, keep_fresh, panel
from console.marks import level_mark, response_mark
from console.rows import incident_place
from console.widgets.filters import Choice, district_choice, filter_row, named
from console.widgets.saved import saved_filters
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools

STATES = ("open", "candidate", "confirmed", "resolved", "merged", "all")
State = Literal["open", "candidate", "confirmed", "resolved", "merged", "all"]


async def incidents(view: View, state: State = "open", kind: str = "", district: str = "") -> None:
    """Show the incidents that pass the filters; of open ones of one cause the parent."""
    words = view.words
    kinds = [(name, words.of(declared.title)) for name, declared in incident_kinds().items()]
    fields = [
        named(words, "list", "state", STATES),
        Choice("kind", words("filter.kind"), [("", words("filter.all")), *kinds]),
        district_choice(words),
    ]
    chosen = {"state": state, "kind": kind, "district": district}
    filter_row(words, fields, chosen)
    await saved_filters(view, "/incidents", chosen)
    with panel(words("incidents.title"), "list") as side:
        none = f"✓ {words('incidents.none')}"
        table = Table(_columns(view), label=words("incidents.title"), empty=none)
        with side:
            count = ui.label().classes("count").props('role="status"')
        list_tools(words, side, table)

    async def read() -> None:
        found = await view.ask(
            lambda conn: list_incidents(conn, state=state, kind=kind, district=district)
        )
        if state == "open" and not kind and not district:
            found = outermost(found)
        table.show([_row(view, incident) for incident in found])
        count.set_text(words("alerts.count", count=len(found)))

    await read()
    keep_fresh(view, read)


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("level", words("incidents.level"), "level", width="80px"),
        Column("title", words("incidents.what"), "link"),
        Column("status", words("incidents.status")),
        Column("district", words("filter.district"), hide=True),
        Column("below", words("incidents.below"), "number", hide=True),
        Column("alerts", words("incidents.alerts"), "number", hide=True),
        Column("folded", words("incidents.folded"), "number", hide=True),
        Column("opened", words("incidents.opened"), "time", hide=True),
        Column("age", words("alerts.since"), "age"),
        Column("acked", words("alerts.acked"), hide=True),
        Column("assignee", words("alerts.assignee"), hide=True),
    ]


def _row(view: View, incident: Summary) -> dict[str, Any]:
    words = view.words
    level = level_mark(words, incident.severity)
    opened = incident.opened_at.isoformat()
    return {
        "id": incident.id,
        "mark": level["mark"],
        "level": response_mark(words, incident.severity),
        "title": {
            "text": words.of(incident.title),
            "href": f"/incidents/{incident.id}",
            "sub": incident_place(words, incident),
        },
        "status": words(f"incidents.status_{incident.status}"),
        "district": incident_place(words, incident),
        "below": _count(f"{incident.children_open}/{incident.children}", incident.children_open)
        if incident.children
        else None,
        "alerts": _count(f"{incident.firing}/{incident.alerts}", incident.firing),
        "folded": _count(str(incident.folded), incident.folded) if incident.folded else None,
        "opened": opened,
        "age": opened if incident.resolved_at is None else None,
        "acked": incident.acked_by or "",
        "assignee": incident.assignee or "",
    }


def _count(text: str, sort: int) -> dict[str, Any]:
    return {"text": text, "unit": "", "sort": sort}


PAGE = Page("/incidents", "incidents.title", incidents, place=2)
