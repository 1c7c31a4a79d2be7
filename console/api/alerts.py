"""Alerts: the list of active ones and their acknowledgement."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from alerts.store import Alert, acknowledge, active_alerts
from console.audit import record
from console.auth import Conn, Operator, Viewer
from service.clock import SystemClock

router = APIRouter(tags=["alerts"])


class Ack(BaseModel):
    """What is said with an acknowledgement."""

    note: str = Field(default="", max_length=2000)


@router.get("/alerts")
def list_alerts(
    conn: Conn, who: Viewer, limit: Annotated[int, Query(ge=1, le=5000)] = 500
) -> list[Alert]:
    """Return active alerts, worst and newest first."""
    return active_alerts(conn, limit)


@router.post("/alerts/{episode}/ack", status_code=204)
def acknowledge_alert(episode: str, conn: Conn, who: Operator, ack: Ack | None = None) -> None:
    """Say that the caller takes care; the first acknowledgement stands."""
    note = ack.note if ack else ""
    with conn.transaction():
        acknowledge(conn, episode, who.name, note, SystemClock().now())
        record(conn, who.name, "alert.ack", episode, note=note)
