"""What explains an alert on something unusual: kept beside its episode."""

from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

COLUMN = "(SELECT x.body FROM alert_explanations x WHERE x.episode = {}.id) AS explanation"
"""Reads it along with a row of ``episodes``, whose name or alias is given."""


def keep_explanation(conn: Connection, episode: str, body: dict[str, Any]) -> None:
    """Store what explains an alert in place of what did before."""
    conn.execute(
        "INSERT INTO alert_explanations (episode, body) VALUES (%s, %s) ON CONFLICT (episode)"
        " DO UPDATE SET body = excluded.body, made_at = clock_timestamp()",
        [episode, Jsonb(body)],
    )
