"""The list of alerts: filters in the address, several acknowledged at once, live."""

from datetime import timedelta
from typing import Any, Literal

from nicegui import ui
from psycopg import Connection

from alerts.episode.acts import acknowledge
from alerts.episode.models import Alert, AlertFilter
from alerts.episode.queries import find_alerts
from catalog.registry import streams
from console import registry
from console.frame import Page, View, keep_fresh, panel
from console.history import moment
from console.marks import level_mark, shown_value
from console.roles import Principal, Role
from console.rows import alert_status, district_title, where_link, where_title
from console.widgets.filters import (
    district_choice,
    domain_choice,
    filter_row,
    named,
    period_fields,
    severity_choice,
    stream_choice,
)
from console.widgets.forms import act_button, text_field
from console.widgets.saved import saved_filters
from console.widgets.table import Act, Column, Table
from console.widgets.tools import list_tools
from service.postgres import now_of
from storage.audit import record

MOST = 500
State = Literal["open", "active", "latched", "cleared", "withdrawn", "all"]


async def alerts(
    view: View,
    state: State = "open",
    severity: Literal["", "1", "2", "3", "4"] = "",
    domain: str = "",
    district: str = "",
    stream: str = "",
    acked: Literal["", "yes", "no"] = "",
    within: Literal["", "1", "24", "168"] = "",
    concern: Literal["city", "maintenance", "all"] = "city",
    start: str = "",
    end: str = "",
) -> None:
    """Show the alerts that pass the filters."""
    words = view.words
    chosen = {"state": state, "severity": severity, "domain": domain, "district": district}
    chosen |= {"stream": stream, "acked": acked, "within": within, "start": start, "end": end}
    chosen |= {"concern": concern}
    fields = [
        named(words, "list", "state", ("open", "active", "latched", "cleared", "withdrawn", "all")),
        named(words, "list", "concern", ("city", "maintenance", "all")),
        severity_choice(words),
        domain_choice(words),
        district_choice(words),
        stream_choice(words),
        named(words, "list", "acked", ("", "no", "yes")),
        named(words, "list", "within", ("", "1", "24", "168")),
        *period_fields(words),
    ]
    filter_row(words, fields, chosen)
    await saved_filters(view, "/alerts", chosen)
    with panel(words("alerts.title"), "list") as side:
        table = _table(view)
        with side:
            _bulk(view, table)
            count = ui.label().classes("count").props('role="status"')
        list_tools(words, side, table)

    def wanted() -> AlertFilter:
        hours, now = float(within or 0), view.desk.clock.now()
        return AlertFilter(
            state=state,
            severity=list(range(1, int(severity) + 1)) if severity else [],
            domain=[domain] if domain else [],
            district=[district] if district else [],
            stream=[stream] if stream else [],
            acknowledged={"yes": True, "no": False}.get(acked),
            since=moment(start) or (now - timedelta(hours=hours) if hours else None),
            until=moment(end),
            concern=[] if concern == "all" else [concern],
            limit=MOST,
        )

    async def read() -> None:
        rows = await view.ask(lambda conn: _rows(view, conn, wanted()))
        table.show(rows)
        key = "alerts.more" if len(rows) == MOST else "alerts.count"
        count.set_text(words(key, count=len(rows)))

    await read()
    keep_fresh(view, read)


def _table(view: View) -> Table:
    words = view.words

    async def act(pressed: Act) -> None:
        await _acknowledge(view, [pressed.row], "")

    columns = [
        Column("level", words("alerts.level"), "level", width="72px"),
        Column("peak", words("alert.peak"), "level", hide=True, width="88px"),
        Column("title", words("alerts.what"), "link"),
        Column("sensor", words("alerts.where"), "link", hide=True),
        Column("district", words("alert.district"), hide=True),
        Column("value", words("alerts.value"), "number"),
        Column("threshold", words("alerts.limit"), "number", hide=True),
        Column("raised", words("alerts.raised"), "time", hide=True),
        Column("age", words("alerts.since"), "age", hide=True, width="64px"),
        Column("status", words("alerts.status"), hide=True),
        Column("acked", words("alerts.acked"), hide=True),
        Column("assignee", words("alerts.assignee"), hide=True),
        Column("act", "", "actions"),
    ]
    may = view.who.may(Role.OPERATOR)
    return Table(
        columns,
        label=words("alerts.title"),
        empty=words("alerts.nothing"),
        on_act=act,
        on_select=(lambda _: None) if may else None,
    )


def _bulk(view: View, table: Table) -> None:
    """Show the button and the note with which an operator takes all ticked alerts."""
    if not view.who.may(Role.OPERATOR):
        return
    words = view.words
    note = text_field(words("alerts.note"))

    async def press() -> None:
        await _acknowledge(view, table.selected, note.value or "")
        note.set_value("")

    button = act_button("", press, strong=True)

    def told(chosen: list[str]) -> None:
        button.set_text(words("alerts.ack_selected", count=len(chosen)))
        button.set_enabled(bool(chosen))

    table.on_select(told)
    told([])


async def _acknowledge(view: View, episodes: list[str], note: str) -> None:
    """Acknowledge all of them or none, each in the audit log."""

    def deed(conn: Connection, who: Principal) -> bool:
        for episode in episodes:
            if acknowledge(conn, episode, who.name, note, now_of(conn)):
                record(conn, who.name, "alert.ack", episode, note=note)
        return True

    if await view.act(Role.OPERATOR, deed):
        view.desk.live.poke()
        ui.notify(view.words("alerts.acked_count", count=len(episodes)), type="positive")


def _rows(view: View, conn: Connection, wanted: AlertFilter) -> list[dict[str, Any]]:
    found = find_alerts(conn, wanted)
    known = registry.places(conn, [(alert.stream, alert.sensor) for alert in found])
    return [_row(view, alert, known.get((alert.stream, alert.sensor), {})) for alert in found]


def _row(view: View, alert: Alert, place: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    level = level_mark(words, alert.severity)
    declared = streams().get(alert.stream)
    decimals = declared.quantity(alert.metric).decimals if declared and alert.metric else 0
    takeable = alert.acked_at is None and alert.status in ("active", "latched")
    return {
        "id": alert.id,
        "mark": level["mark"],
        "level": level,
        "peak": level_mark(words, alert.peak_severity)
        if alert.peak_severity != alert.severity
        else None,
        "title": {
            "text": words.pick(*alert.titles),
            "href": f"/alerts/{alert.id}",
            "sub": where_title(words, alert.stream, alert.sensor, place),
        },
        "sensor": where_link(words, alert.stream, alert.sensor, place),
        "district": district_title(words, place.get("district")),
        "value": shown_value(words, alert.stream, alert.metric, alert.value, alert.unit, decimals),
        "threshold": shown_value(
            words, alert.stream, alert.metric, alert.threshold, alert.unit, decimals
        ),
        "raised": alert.raised_at.isoformat(),
        "age": alert.raised_at.isoformat() if alert.cleared_at is None else None,
        "status": alert_status(words, alert),
        "acked": alert.acked_by or "",
        "assignee": alert.assignee or "",
        "act": [{"act": "ack", "text": words("alerts.take"), "look": "strong"}]
        if takeable and view.who.may(Role.OPERATOR)
        else [],
    }


PAGE = Page("/alerts", "alerts.title", alerts, place=1)
