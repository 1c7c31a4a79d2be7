"""Questions to the alerts: what a console, an API or the command line shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from alerts.acts import acknowledge
from alerts.errors import NotFoundError
from alerts.events import rule_title
from alerts.fields import Moment
from alerts.labels import Labels, Matcher, alert_labels, all_match
from catalog.registry import find_rule, streams

__all__ = ["Alert", "acknowledge", "active_alerts", "find_alerts", "get_alert"]
Row = TypeVar("Row", bound=BaseModel)
State = Literal["open", "active", "latched", "cleared", "withdrawn", "all"]


class Alert(BaseModel):
    """One episode; ``raised_at`` and ``cleared_at`` are event time, ``…_recorded_at`` ours."""

    id: str
    rule: str
    stream: str
    sensor: str
    status: Literal["active", "latched", "cleared", "withdrawn"]
    severity: int
    peak_severity: int
    metric: str | None
    value: float | None
    threshold: float | None
    raised_at: datetime
    raised_recorded_at: datetime
    changed_at: datetime
    confidence: Literal["confirmed", "unconfirmed"]
    reason: str
    """Tests that doubt the value, that proved it wrong, or why a sensor is silent."""
    cleared_at: datetime | None
    cleared_recorded_at: datetime | None
    flapping: bool
    labels: Labels
    annotations: dict[str, str]
    acked_at: datetime | None
    acked_by: str | None
    ack_note: str | None
    assignee: str | None
    assigned_at: datetime | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelve_reason: str | None

    @property
    def unit(self) -> str:
        """Unit of value and threshold; empty for absence."""
        declared = streams().get(self.stream)
        return declared.quantity(self.metric).unit if declared and self.metric else ""

    @property
    def all_labels(self) -> Labels:
        """The labels that routes and silences see."""
        flapping = {"flapping": "true" if self.flapping else "false"}
        ours = alert_labels(self.rule, self.stream, self.sensor, self.severity)
        return ours | self.labels | flapping

    @property
    def titles(self) -> tuple[str, str]:
        """Title in zh and en."""
        if find_rule(self.rule):
            title = rule_title(self.rule, self.peak_severity if self.cleared_at else self.severity)
            return title.zh, title.en
        summary = self.annotations.get("summary", self.rule)
        return summary, summary


class TransitionView(BaseModel):
    """One change by the rule: event time, the worker's time and the time it was recorded."""

    id: str
    kind: Literal["raised", "changed", "confirmed", "withdrawn", "cleared"]
    confidence: Literal["confirmed", "unconfirmed"]
    reason: str
    severity: int
    previous: int | None
    metric: str | None
    value: float | None
    threshold: float | None
    observed_at: datetime
    produced_at: datetime
    recorded_at: datetime


class TransitionRow(TransitionView):
    """A change with the alert it belongs to."""

    episode: str
    rule: str
    stream: str
    sensor: str


class Act(BaseModel):
    """One act of a person."""

    id: int
    at: datetime
    who: str
    act: str
    note: str


class Holding(BaseModel):
    """Why a receiver is not told."""

    receiver: str
    reason: str
    since: datetime


class AlertPage(BaseModel):
    """Everything about one alert."""

    alert: Alert
    transitions: list[TransitionView]
    acts: list[Act]
    held: list[Holding]
    told: list[str]
    incidents: list[str]


Level = Annotated[int, Field(ge=1, le=4)]


class AlertFilter(BaseModel):
    """What to list; an empty list means no condition. ``since`` and ``until`` say when raised.

    ``severity`` is the level now of what is open, and the worst level reached over history.
    """

    model_config = ConfigDict(extra="forbid")

    state: State = "open"
    severity: list[Level] = Field(
        default=[],
        description="1 red … 4 blue: the level now; the peak with `state` cleared or all",
    )
    domain: list[str] = []
    district: list[str] = []
    rule: list[str] = []
    stream: list[str] = []
    sensor: str = ""
    acknowledged: bool | None = None
    assignee: str = ""
    since: Moment | None = None
    until: Moment | None = None
    limit: int = Field(default=500, ge=1, le=5000)
    offset: int = Field(default=0, ge=0, le=10**9)


COLUMNS = ", ".join(f"e.{name}" for name in Alert.model_fields)
STATES = {
    "open": "e.status IN ('active', 'latched')",
    "active": "e.status = 'active'",
    "latched": "e.status = 'latched'",
    "cleared": "e.status = 'cleared'",
    "withdrawn": "e.status = 'withdrawn'",
    "all": "true",
}


def active_alerts(conn: Connection, limit: int = 500) -> list[Alert]:
    """Return open alerts (active or latched), worst and newest first."""
    return find_alerts(conn, AlertFilter().model_copy(update={"limit": limit}))


def find_alerts(conn: Connection, wanted: AlertFilter) -> list[Alert]:
    """Return the alerts that pass, worst and newest first; all but open ones newest first."""
    where, values = _where(wanted)
    order = "e.severity, e.raised_at DESC" if wanted.state == "open" else "e.raised_at DESC"
    query = (
        f"SELECT {COLUMNS} FROM episodes e LEFT JOIN sensors s"
        " ON s.stream = e.stream AND s.sensor = e.sensor"
        f" WHERE {where} ORDER BY {order}, e.id LIMIT %(limit)s OFFSET %(offset)s"
    )
    return _rows(conn, Alert, query, values)


def count_alerts(conn: Connection, wanted: AlertFilter) -> int:
    """Return how many alerts pass, whatever ``limit`` and ``offset`` say."""
    where, values = _where(wanted)
    row = conn.execute(
        "SELECT count(*) FROM episodes e LEFT JOIN sensors s"
        f" ON s.stream = e.stream AND s.sensor = e.sensor WHERE {where}".encode(),
        values,
    ).fetchone()
    return row[0] if row else 0


def get_alert(conn: Connection, episode: str) -> AlertPage:
    """Return one alert with its timeline; NotFoundError when there is none."""
    given = {"id": episode}
    found = _rows(conn, Alert, f"SELECT {COLUMNS} FROM episodes e WHERE e.id = %(id)s", given)
    if not found:
        raise NotFoundError(f"no alert {episode}")
    names = ", ".join(TransitionView.model_fields)
    return AlertPage(
        alert=found[0],
        transitions=_rows(
            conn,
            TransitionView,
            f"SELECT {names} FROM transitions WHERE episode = %(id)s"
            " ORDER BY recorded_at, observed_at",
            given,
        ),
        acts=_rows(
            conn,
            Act,
            "SELECT id, at, who, act, note FROM episode_acts WHERE episode = %(id)s ORDER BY id",
            given,
        ),
        held=_rows(
            conn,
            Holding,
            "SELECT r.name AS receiver, h.reason, h.since FROM held h"
            " JOIN receivers r ON r.id = h.receiver WHERE h.subject = %(id)s ORDER BY r.name",
            given,
        ),
        told=_names(
            conn,
            "SELECT r.name FROM told t JOIN receivers r ON r.id = t.receiver"
            " WHERE t.subject = %(id)s ORDER BY r.name",
            given,
        ),
        incidents=_names(
            conn, "SELECT incident FROM incident_members WHERE episode = %(id)s", given
        ),
    )


def list_transitions(
    conn: Connection,
    *,
    episode: str = "",
    stream: str = "",
    sensor: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 500,
) -> list[TransitionRow]:
    """Return changes of alerts, newest record first; ``since`` and ``until`` are event time."""
    conditions = {
        "episode": (episode, "episode = %(episode)s"),
        "stream": (stream, "stream = %(stream)s"),
        "sensor": (sensor, "sensor = %(sensor)s"),
        "since": (since, "observed_at >= %(since)s"),
        "until": (until, "observed_at < %(until)s"),
    }
    where = " AND ".join([sql for value, sql in conditions.values() if value] or ["true"])
    values = {name: value for name, (value, _) in conditions.items()} | {"limit": limit}
    names = ", ".join(TransitionRow.model_fields)
    query = f"SELECT {names} FROM transitions WHERE {where} ORDER BY recorded_at DESC, id LIMIT"
    return _rows(conn, TransitionRow, query + " %(limit)s", values)


def preview(conn: Connection, matchers: Sequence[Matcher], limit: int = 50_000) -> list[Alert]:
    """Return the open alerts that a silence with these matchers would hide."""
    return [a for a in active_alerts(conn, limit) if all_match(matchers, a.all_labels)]


def counts(conn: Connection) -> dict[int, int]:
    """Return how many open alerts each severity (1 to 4) has."""
    rows = conn.execute(
        "SELECT severity, count(*) FROM episodes WHERE status IN ('active', 'latched')"
        " GROUP BY severity"
    ).fetchall()
    return dict.fromkeys((1, 2, 3, 4), 0) | dict(rows)


def _where(wanted: AlertFilter) -> tuple[str, dict[str, Any]]:
    values = wanted.model_dump()
    parts = [STATES[wanted.state]]
    if wanted.domain:
        named = [s.name for s in streams().values() if s.domain in wanted.domain]
        values["domain_streams"] = named
        parts.append(
            "(e.stream = ANY(%(domain_streams)s) OR e.labels->>'domain' = ANY(%(domain)s))"
        )
    conditions = {
        "severity": f"{_level(wanted.state)} = ANY(%(severity)s)",
        "district": "(s.district = ANY(%(district)s) OR e.labels->>'district' = ANY(%(district)s))",
        "rule": "e.rule = ANY(%(rule)s)",
        "stream": "e.stream = ANY(%(stream)s)",
        "sensor": "e.sensor = %(sensor)s",
        "assignee": "e.assignee = %(assignee)s",
        "since": "e.raised_at >= %(since)s",
        "until": "e.raised_at < %(until)s",
    }
    parts += [sql for name, sql in conditions.items() if values[name]]
    if wanted.acknowledged is not None:
        parts.append("e.acked_at IS " + ("NOT NULL" if wanted.acknowledged else "NULL"))
    return " AND ".join(parts), values


def _level(state: State) -> str:
    """Return the level that a filter asks for: what was red is found when it is so no longer."""
    return "e.peak_severity" if state in ("cleared", "all") else "e.severity"


def _rows(conn: Connection, kind: type[Row], query: str, values: dict[str, Any]) -> list[Row]:
    with conn.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query.encode(), values).fetchall()


def _names(conn: Connection, query: str, values: dict[str, Any]) -> list[str]:
    return [row[0] for row in conn.execute(query.encode(), values)]
