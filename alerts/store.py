"""Questions to and acts on the alerts: what a console or command line needs."""

from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from catalog.registry import streams


class NotFoundError(LookupError):
    """There is no such alert."""


class Alert(BaseModel):
    """One episode; ``raised_at`` and ``cleared_at`` are event time."""

    id: str
    rule: str
    stream: str
    sensor: str
    status: str
    severity: int
    peak_severity: int
    metric: str | None
    value: float | None
    threshold: float | None
    raised_at: datetime
    cleared_at: datetime | None
    acked_at: datetime | None
    acked_by: str | None
    ack_note: str | None

    @property
    def unit(self) -> str:
        """Unit of value and threshold; empty for absence."""
        declared = streams().get(self.stream)
        return declared.quantity(self.metric).unit if declared and self.metric else ""


COLUMNS = ", ".join(Alert.model_fields)


def active_alerts(conn: Connection, limit: int = 500) -> list[Alert]:
    """Return active alerts, worst and newest first."""
    query = f"SELECT {COLUMNS} FROM episodes WHERE status = 'active'"
    order = " ORDER BY severity, raised_at DESC LIMIT %s"
    with conn.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute((query + order).encode(), [limit]).fetchall()


def acknowledge(conn: Connection, episode: str, by: str, note: str, at: datetime) -> None:
    """Note who takes care. A second acknowledgement keeps the first; clearing is another matter."""
    done = conn.execute(
        "UPDATE episodes SET acked_at = coalesce(acked_at, %s), acked_by = coalesce(acked_by, %s),"
        " ack_note = coalesce(ack_note, %s) WHERE id = %s",
        [at, by, note, episode],
    )
    if done.rowcount == 0:
        raise NotFoundError(f"no alert {episode}")
