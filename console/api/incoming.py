"""Webhooks of other alerting systems, so that their alerts land in the same place as ours."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from psycopg import Connection
from pydantic import BaseModel, ConfigDict, Field

from alerts.sources.external import take
from alerts.sources.foreign import read_foreign
from console.alerting import Alerting, Room
from console.auth import Conn, Operator

router = APIRouter(tags=["incoming"])
MOST = 10_000
MOST_NOTES = 1000
EXAMPLE = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "PumpOverheated", "severity": "critical", "domain": "water"},
            "annotations": {"summary": "Pump 3 is at 95 °C"},
            "startsAt": "2026-11-24T08:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ],
}


class Webhook(BaseModel):
    """The body of Alertmanager (version "4"), which Grafana's webhook contact point extends."""

    model_config = ConfigDict(extra="ignore")

    alerts: list[Any] = Field(
        max_length=MOST,
        description="Objects with `labels`, `annotations`, `status`, `startsAt`, `endsAt`,"
        " `generatorURL`. Each is taken: what does not fit is renamed, cut or left out.",
    )


class Note(BaseModel):
    """What was changed about one alert; ``alert`` is its place in the body, from 0."""

    alert: int
    said: list[str]


class Received(BaseModel):
    """How many alerts were taken, how many began or ended by it, and what was odd about some."""

    received: int
    changed: int
    notes: list[Note] = []


@router.post("/alertmanager")
@router.post("/grafana")
def take_webhook(
    body: Annotated[Webhook, Body(examples=[EXAMPLE])], conn: Conn, who: Operator, room: Room
) -> Received:
    """Take the alerts of a webhook; the same webhook again changes nothing."""
    return take_all(conn, body.alerts, room)


def take_all(
    conn: Connection, items: list[Any], room: Alerting, *, pushed: bool = False
) -> Received:
    """Take alerts of another system, each whatever is odd about it or its neighbours."""
    read = [read_foreign(item) for item in items]
    alerts = [alert for alert, _ in read if alert]
    changed = take(conn, alerts, room.notifier, room.settings, pushed=pushed)
    notes = [Note(alert=n, said=said) for n, (_, said) in enumerate(read) if said]
    return Received(received=len(alerts), changed=changed, notes=notes[:MOST_NOTES])
