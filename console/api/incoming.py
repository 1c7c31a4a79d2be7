"""Webhooks of other alerting systems, so that their alerts land in the same place as ours."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from alerts.external import Foreign, take
from console.alerting import Room
from console.auth import Conn, Operator
from service.clock import SystemClock

router = APIRouter(tags=["incoming"])
MOST = 2000
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

    alerts: list[Foreign] = Field(max_length=MOST)


class Received(BaseModel):
    """How many alerts the webhook held, and how many began, changed or ended by it."""

    received: int
    changed: int


@router.post("/alertmanager")
@router.post("/grafana")
def take_webhook(
    body: Annotated[Webhook, Body(examples=[EXAMPLE])], conn: Conn, who: Operator, room: Room
) -> Received:
    """Take the alerts of a webhook; the same webhook again changes nothing."""
    now = SystemClock().now()
    taken = take(conn, body.alerts, room.notifier, room.settings, now)
    return Received(received=taken.received, changed=taken.changed)
