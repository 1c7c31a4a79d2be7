"""Groups, models and scores of joint rules in tables. Whoever calls owns the transaction."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from psycopg import Connection
from psycopg.types.json import Jsonb

from catalog.contracts import Transition
from forecasts.joint.groups import Gathered, Signal
from forecasts.joint.model import Model

ARRAYS = ("centre", "scale", "mean", "basis")
KEPT_SCORES = timedelta(days=90)
KEPT_VERSIONS = 26


@dataclass(frozen=True, slots=True)
class Kept:
    """What the table knows of a group."""

    id: int
    status: str
    version: int
    trained_until: datetime | None
    scored_until: datetime | None
    heard_at: datetime | None
    log: float | None
    severity: int
    raised_at: datetime | None


_KEPT = "id, status, version, trained_until, scored_until, heard_at, log, severity, raised_at"


def lock(conn: Connection, group: Gathered) -> Kept | None:
    """Return a group's row, locked; None while another process judges it."""
    key = [group.rule.id, group.subject]
    conn.execute(
        "INSERT INTO joint_groups (rule, subject, key, district) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [*key, group.key, group.district],
    )
    row = conn.execute(
        f"SELECT {_KEPT} FROM joint_groups WHERE rule = %s AND subject = %s"
        " FOR UPDATE SKIP LOCKED".encode(),
        key,
    ).fetchone()
    return Kept(*row) if row else None


def due(conn: Connection, rule: str, end: datetime) -> set[str]:
    """Return the groups of a rule that have been judged up to ``end``."""
    rows = conn.execute(
        "SELECT subject FROM joint_groups WHERE rule = %s AND scored_until >= %s", [rule, end]
    ).fetchall()
    return {subject for (subject,) in rows}


def save(conn: Connection, kept: Kept) -> None:
    """Write a group's row."""
    conn.execute(
        "UPDATE joint_groups SET status = %s, version = %s, trained_until = %s,"
        " scored_until = %s, heard_at = %s, log = %s, severity = %s, raised_at = %s"
        " WHERE id = %s",
        [
            *(kept.status, kept.version, kept.trained_until, kept.scored_until, kept.heard_at),
            *(kept.log, kept.severity, kept.raised_at, kept.id),
        ],
    )


def load_model(conn: Connection, kept: Kept, signals: tuple[Signal, ...]) -> Model | None:
    """Return the newest model; None when there is none, or the group's signals are others."""
    row = conn.execute(
        "SELECT signals, hours, body FROM joint_models WHERE group_id = %s AND version = %s",
        [kept.id, kept.version],
    ).fetchone()
    if row is None or row[0] != [signal.name for signal in signals]:
        return None
    with np.load(io.BytesIO(row[2]), allow_pickle=False) as parts:
        level, spread = parts["normal"]
        arrays = {name: parts[name] for name in ARRAYS}
    return Model(**arrays, level=float(level), spread=float(spread), rows=row[1])


def save_model(
    conn: Connection, group: int, version: int, until: datetime, model: Model, names: list[str]
) -> None:
    """Store one more version; the oldest ones go."""
    out = io.BytesIO()
    arrays = {name: getattr(model, name) for name in ARRAYS}
    np.savez(out, normal=np.array([model.level, model.spread]), **arrays)
    conn.execute(
        "INSERT INTO joint_models (group_id, version, trained_until, hours, signals, body)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [group, version, until, model.rows, names, out.getvalue()],
    )
    conn.execute(
        "DELETE FROM joint_models WHERE group_id = %s AND version <= %s",
        [group, version - KEPT_VERSIONS],
    )


def alarmed_hours(conn: Connection, group: int, begin: datetime) -> list[datetime]:
    """Return the hours from ``begin`` on that lay under alarm."""
    rows = conn.execute(
        "SELECT hour FROM joint_scores WHERE group_id = %s AND alarmed AND hour >= %s",
        [group, begin],
    ).fetchall()
    return [hour for (hour,) in rows]


def save_score(
    conn: Connection, group: int, hour: datetime, version: int, spreads: float, alarmed: bool
) -> None:
    """Store what was said of an hour, once."""
    conn.execute(
        "INSERT INTO joint_scores (group_id, hour, version, spreads, alarmed)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [group, hour, version, spreads if np.isfinite(spreads) else None, alarmed],
    )


def learn_again(conn: Connection, group: int, since: datetime) -> None:
    """Let the hours of an alert that lasted too long be learned from."""
    conn.execute(
        "UPDATE joint_scores SET alarmed = false WHERE group_id = %s AND hour >= %s",
        [group, since],
    )


def forget(conn: Connection, group: int, now: datetime) -> None:
    """Drop scores that nothing reads any more."""
    conn.execute(
        "DELETE FROM joint_scores WHERE group_id = %s AND hour < %s", [group, now - KEPT_SCORES]
    )


def enqueue(
    conn: Connection, transition: Transition, district: str, explanation: dict[str, Any] | None
) -> None:
    """Leave a transition for the alerts engine."""
    conn.execute(
        "INSERT INTO joint_events (transition, district, explanation) VALUES (%s, %s, %s)",
        [
            Jsonb(msgspec.to_builtins(transition)),
            district,
            Jsonb(explanation) if explanation else None,
        ],
    )
