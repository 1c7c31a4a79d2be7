"""What explains an unusual alert: its metric, how far off, since when, and similar days before."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from psycopg import Connection, sql

from alerts.episode.alike import DAY, alike, residuals
from alerts.episode.explanations import keep_explanation
from catalog.base import Floats
from catalog.contracts import Transition
from catalog.lifecycle.day_kinds import kinds_of
from catalog.model import Stream, UnusualRule
from catalog.registry import find_rule, streams
from catalog.site import offset_us
from storage.tables import aggregates_table, rollup_table

BACK = timedelta(days=28)
HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000


def explain_unusual(conn: Connection, t: Transition) -> None:
    """Store what explains a transition of an unusual rule; nothing for one of another kind."""
    rule, stream = find_rule(t.rule), streams().get(t.stream)
    if not isinstance(rule, UnusualRule) or stream is None or t.kind not in ("raised", "changed"):
        return
    end = t.observed_at.replace(minute=0, second=0, microsecond=0) + HOUR
    values = _hours(conn, stream, rule.metric, t.sensor, end)
    local = (int(end.timestamp()) * 1_000_000 + offset_us()) // HOUR_US - len(values)
    hours = local + np.arange(len(values))
    newest = _mean(conn, stream, rule, t)
    if newest is not None:
        values[-1] = newest
    off, usual = residuals(values, hours % DAY, kinds_of(hours // DAY))
    body: dict[str, Any] = {
        "kind": "unusual",
        "since": (t.observed_at - timedelta(seconds=rule.window_s)).isoformat(),
        "lasted_s": int(rule.window_s),
        "spreads": round(t.value or 0.0, 1),
        "signals": [],
        "similar": [
            {"day": _day(hours[-1] // DAY - days), "likeness": likeness}
            for days, likeness in alike(off)
        ],
    }
    if np.isfinite(values[-1]) and np.isfinite(usual[-1]):
        value, expected = float(values[-1]), float(usual[-1])
        side = 1.0 if value >= expected else -1.0
        body["signals"] = [
            {
                **{"stream": t.stream, "sensor": t.sensor, "metric": rule.metric, "share": 1.0},
                **{"off": side * abs(t.value or 0.0), "value": value, "expected": expected},
            }
        ]
    keep_explanation(conn, t.episode, body)


def _hours(conn: Connection, stream: Stream, metric: str, sensor: str, end: datetime) -> Floats:
    """Return the hourly means of four weeks before ``end``; NaN = none."""
    begin = end - BACK
    values = np.full(round(BACK / HOUR), np.nan)
    rows = conn.execute(
        sql.SQL(
            "SELECT extract(epoch FROM window_start - %s)::int / 3600, {}::float8 / {} FROM {}"
            " WHERE sensor = %s AND window_start >= %s AND window_start < %s AND {} > 0"
        ).format(
            sql.Identifier(f"{metric}_sum"),
            used := sql.Identifier(f"{metric}_used"),
            sql.Identifier(rollup_table("1h", stream.name)),
            used,
        ),
        [begin, sensor, begin, end],
    ).fetchall()
    for hour, value in rows:
        values[hour] = value
    return values


def _mean(conn: Connection, stream: Stream, rule: UnusualRule, t: Transition) -> float | None:
    """Return the metric's mean over the rule's window; None where no minute has come yet."""
    since = t.observed_at - timedelta(seconds=max(rule.window_s, stream.cadence_s))
    row = conn.execute(
        sql.SQL(
            "SELECT sum({})::float8 / nullif(sum({}), 0) FROM {}"
            " WHERE sensor = %s AND window_start >= %s AND window_start <= %s"
        ).format(
            sql.Identifier(f"{rule.metric}_sum"),
            sql.Identifier(f"{rule.metric}_used"),
            sql.Identifier(aggregates_table(stream.name)),
        ),
        [t.sensor, since, t.observed_at],
    ).fetchone()
    return row[0] if row else None


def _day(days: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=int(days))).date().isoformat()
