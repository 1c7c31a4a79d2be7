"""Joint rules: alerts of groups that no longer move as they normally do.

What judges the groups leaves its transitions in ``joint_events``, in the transaction of their
scores. Each is taken in one transaction with what it owes, so that a restart tells nothing twice.
"""

from datetime import datetime

import msgspec
from psycopg import Connection

from alerts.episode.episodes import Origin, apply
from alerts.episode.explanations import keep_explanation
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from catalog.contracts import Transition
from catalog.joint import rule_of_group

PIECE = 50


def take_joint(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    """Apply some transitions of groups, in their order; return how many."""
    rows = conn.execute(
        "SELECT seq, transition, district, explanation FROM joint_events ORDER BY seq LIMIT %s",
        [PIECE],
    ).fetchall()
    changes = []
    for _, raw, district, explanation in rows:
        told = msgspec.convert(raw, Transition)
        if explanation is not None:
            keep_explanation(conn, told.episode, explanation)
        rule = rule_of_group(told.sensor)
        labels = {"domain": rule.domain if rule else "", "district": district}
        changes.append(apply(conn, told, Origin(labels, {}, None)))
    settle(conn, [change for change in changes if change], notifier, settings, now)
    conn.execute("DELETE FROM joint_events WHERE seq = ANY(%s)", [[seq for seq, *_ in rows]])
    return len(rows)
