"""What is one person's: given to them, and said to them by ``@name``."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import class_row

from alerts.episode.models import Alert
from alerts.episode.queries import COLUMNS
from alerts.incident.queries import Summary, list_incidents
from alerts.rows import read_rows

DAYS = 14
MOST = 200


@dataclass(frozen=True, slots=True)
class Mention:
    """One note in which somebody is called: ``kind`` is alert or incident, ``subject`` its id."""

    kind: str
    subject: str
    at: datetime
    who: str
    note: str


@dataclass(frozen=True, slots=True)
class Mine:
    """What waits for a person; what was said to them, newest first."""

    alerts: list[Alert]
    incidents: list[Summary]
    mentions: list[Mention]


def read_mine(conn: Connection, name: str, now: datetime) -> Mine:
    """Return the open alerts and incidents given to a person, and the notes that name them."""
    given = read_rows(
        conn,
        Alert,
        f"SELECT {COLUMNS} FROM episodes e WHERE e.assignee = %(name)s AND e.cleared_at IS NULL"
        " ORDER BY e.severity, e.raised_at DESC LIMIT %(most)s",
        {"name": name, "most": MOST},
    )
    incidents = [i for i in list_incidents(conn, limit=1000) if i.assignee == name]
    return Mine(given, incidents, mentions(conn, name, now - timedelta(days=DAYS)))


def mentions(conn: Connection, name: str, since: datetime) -> list[Mention]:
    """Return the notes since a moment that call ``@name``, without that person's own."""
    with conn.cursor(row_factory=class_row(Mention)) as cursor:
        return cursor.execute(
            _MENTIONS.encode(),
            {"name": name, "since": since, "called": called(name), "most": MOST},
        ).fetchall()


def called(name: str) -> str:
    """Return the pattern of PostgreSQL by which a note calls a person.

    ``@li`` is in ``@li, look`` and in ``见@li。``, not in ``@li.wei``, ``@lim`` or ``a@li.cn``.
    """
    return rf"(^|[^A-Za-z0-9._-])@{re.escape(name)}(?![A-Za-z0-9_-]|\.[A-Za-z0-9])"


_CALLS = "a.at >= %(since)s AND a.who <> %(name)s AND a.note ~ %(called)s"
_MENTIONS = (
    "SELECT * FROM (SELECT 'incident' AS kind, a.incident AS subject, a.at, a.who, a.note"
    f" FROM incident_acts a WHERE {_CALLS}"
    f" UNION ALL SELECT 'alert', a.episode, a.at, a.who, a.note FROM episode_acts a WHERE {_CALLS})"
    " found ORDER BY at DESC LIMIT %(most)s"
)
