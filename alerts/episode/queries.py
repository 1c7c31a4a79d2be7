"""Questions to the alerts: what a console, an API or the command line shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from alerts.episode.explanations import COLUMN as EXPLANATION
from alerts.episode.models import (
    Act,
    Alert,
    AlertFilter,
    AlertPage,
    Holding,
    State,
    TransitionRow,
    TransitionView,
)
from alerts.event.labels import Matcher, all_match
from alerts.rows import read_rows
from catalog.errors import NotFoundError
from catalog.registry import streams

COLUMNS = ", ".join(
    EXPLANATION.format("e") if name == "explanation" else f"e.{name}" for name in Alert.model_fields
)
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
    return read_rows(conn, Alert, query, values)


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
    found = read_rows(conn, Alert, f"SELECT {COLUMNS} FROM episodes e WHERE e.id = %(id)s", given)
    if not found:
        raise NotFoundError(f"no alert {episode}")
    names = ", ".join(TransitionView.model_fields)
    return AlertPage(
        alert=found[0],
        transitions=read_rows(
            conn,
            TransitionView,
            f"SELECT {names} FROM transitions WHERE episode = %(id)s"
            " ORDER BY recorded_at, observed_at",
            given,
        ),
        acts=read_rows(
            conn,
            Act,
            "SELECT id, at, who, act, note FROM episode_acts WHERE episode = %(id)s ORDER BY id",
            given,
        ),
        held=read_rows(
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
    return read_rows(conn, TransitionRow, query + " %(limit)s", values)


def preview(conn: Connection, matchers: Sequence[Matcher], limit: int = 50_000) -> list[Alert]:
    """Return the open alerts that a silence with these matchers would hide."""
    return [a for a in active_alerts(conn, limit) if all_match(matchers, a.all_labels)]


def counts(conn: Connection) -> dict[int, int]:
    """Return how many open alerts that concern the city each severity (1 to 4) has."""
    rows = conn.execute(
        "SELECT severity, count(*) FROM episodes WHERE status IN ('active', 'latched')"
        " AND concern = 'city'"
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
        "concern": "e.concern = ANY(%(concern)s)",
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


def _names(conn: Connection, query: str, values: dict[str, Any]) -> list[str]:
    return [row[0] for row in conn.execute(query.encode(), values)]
