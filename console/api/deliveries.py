"""The delivery log: every message to a receiver, every attempt, and sending again."""

from typing import Annotated

from fastapi import APIRouter, Query

from alerts.delivery import log as log
from alerts.delivery.log import Delivery, DeliveryPage, State
from alerts.event.fields import Moment
from console.api.paging import Pages
from console.api.receivers import Sent
from console.auth import Conn, Operator, Viewer
from console.problems import not_found
from storage.audit import record

router = APIRouter(tags=["deliveries"])


@router.get("/deliveries")
def list_deliveries(
    conn: Conn,
    who: Viewer,
    pages: Pages,
    receiver: str = "",
    state: State = "all",
    subject: Annotated[str, Query(description="An alert's or incident's id")] = "",
    before: Annotated[Moment | None, Query(description="Page on: the last `created_at`")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[Delivery]:
    """Return messages, newest first."""
    asked = {"receiver": receiver, "subject": subject, "before": before}
    found = log.list_deliveries(conn, state=state, **asked, limit=limit + 1)
    return pages.cut(found, limit, lambda last: {"before": last.created_at.isoformat()})


@router.get("/deliveries/{message}")
def get_delivery(message: str, conn: Conn, who: Viewer) -> DeliveryPage:
    """Return one message with its body and every attempt."""
    return log.get_delivery(conn, message)


@router.post("/deliveries/{message}/replay", status_code=202)
def replay_delivery(message: str, conn: Conn, who: Operator) -> Sent:
    """Send a message again, with its id and body; one that waits is tried at once."""
    with conn.transaction():
        if log.replay(conn, message) == 0:
            raise not_found(f"no message {message}")
        record(conn, who.name, "delivery.replay", message)
    return Sent(id=message)
