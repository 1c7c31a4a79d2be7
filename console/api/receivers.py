"""Receivers: who is told. A secret is shown once, in the answer that makes it."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from alerts.delivery import receivers as book
from alerts.delivery.guard import RefusedTargetError, hide
from alerts.delivery.log import replay_range, send_test
from alerts.delivery.receivers import ReceiverChange, ReceiverDraft, ReceiverView
from alerts.event.fields import Moment
from console.alerting import Room
from console.auth import Admin, Conn, Operator, Viewer
from console.problems import Refused
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["receivers"])
EXAMPLE = {"name": "flood-duty", "url": "https://duty.example.cn/hook", "min_severity": 2} | {
    "domains": ["water"],
}


class NewSecret(BaseModel):
    """A receiver's signing secret; it is never shown again. Empty for robots without one."""

    name: str
    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Sent(BaseModel):
    """The ``webhook-id`` of a message that is on its way; see ``/deliveries/{id}``."""

    id: str


class Replay(BaseModel):
    """Which of a receiver's messages to send again: made in [since, until)."""

    model_config = ConfigDict(extra="forbid")

    since: Moment
    until: Moment | None = None
    only_failed: bool = False


class Replayed(BaseModel):
    """How many messages will be sent again, each with its own id and body."""

    count: int


@router.get("/receivers")
def list_receivers(conn: Conn, who: Viewer) -> list[ReceiverView]:
    """Return every receiver with what waits for it, by name."""
    return book.list_receivers(conn)


@router.get("/receivers/{name}")
def get_receiver(name: str, conn: Conn, who: Viewer) -> ReceiverView:
    """Return one receiver."""
    return book.get_receiver(conn, name)


@router.post("/receivers", status_code=201)
def create_receiver(
    draft: Annotated[ReceiverDraft, Body(examples=[EXAMPLE])],
    conn: Conn,
    who: Admin,
    room: Room,
    response: Response,
) -> NewSecret:
    """Register a receiver; the answer holds its secret, once."""
    with conn.transaction():
        try:
            secret = book.create(conn, draft, room.guard, room.vault)
        except RefusedTargetError as refused:
            raise _address(refused) from None
        seen = draft.model_dump(exclude={"secret", "name"}) | {"url": hide(draft.url)}
        record(conn, who.name, "receiver.create", draft.name, **seen)
    return _shown_once(draft.name, secret, response)


@router.patch("/receivers/{name}")
def change_receiver(
    name: str,
    wanted: Annotated[ReceiverChange, Body(examples=[{"enabled": False}])],
    conn: Conn,
    who: Admin,
    room: Room,
) -> ReceiverView:
    """Change a receiver, or switch it on or off; what waits for it is kept."""
    with conn.transaction():
        try:
            book.change(conn, name, wanted, room.guard)
        except RefusedTargetError as refused:
            raise _address(refused) from None
        seen = wanted.model_dump(exclude_none=True)
        if wanted.url:
            seen["url"] = hide(wanted.url)
        record(conn, who.name, "receiver.change", name, **seen)
    return book.get_receiver(conn, name)


@router.delete("/receivers/{name}", status_code=204)
def remove_receiver(name: str, conn: Conn, who: Admin, room: Room) -> None:
    """Remove a receiver with its messages and their log; 409 while a file names it."""
    with conn.transaction():
        lost = book.remove(conn, name, room.notifier.routes.receivers())
        record(conn, who.name, "receiver.remove", name, undelivered=lost)


@router.post("/receivers/{name}/rotate")
def rotate_secret(name: str, conn: Conn, who: Admin, room: Room, response: Response) -> NewSecret:
    """Give a new secret; for 24 hours messages are signed with the old one as well."""
    with conn.transaction():
        secret = book.rotate_secret(conn, name, room.vault, now_of(conn))
        record(conn, who.name, "receiver.rotate", name)
    return _shown_once(name, secret, response)


@router.post("/receivers/{name}/test", status_code=202)
def test_receiver(name: str, conn: Conn, who: Operator, room: Room) -> Sent:
    """Send a test message, marked as an exercise, the way every alert goes."""
    book.get_receiver(conn, name)
    with conn.transaction():
        sent = send_test(conn, name, who.name, room.links, now_of(conn))
        record(conn, who.name, "receiver.test", name, message=sent)
    return Sent(id=sent)


@router.post("/receivers/{name}/replay", status_code=202)
def replay_receiver(name: str, which: Replay, conn: Conn, who: Operator) -> Replayed:
    """Send a stretch of messages again; a receiver knows by ``webhook-id`` what it has."""
    book.get_receiver(conn, name)
    until = which.until or now_of(conn)
    with conn.transaction():
        count = replay_range(conn, name, which.since, until, only_failed=which.only_failed)
        record(conn, who.name, "receiver.replay", name, count=count, since=str(which.since))
    return Replayed(count=count)


def _address(refused: RefusedTargetError) -> Refused:
    return Refused("body.url", "target", str(refused))


def _shown_once(name: str, secret: str, response: Response) -> NewSecret:
    response.headers["Cache-Control"] = "no-store"
    return NewSecret(name=name, secret=secret)
