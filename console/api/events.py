"""Live changes as server-sent events: alerts, incidents, who takes care, sensor states."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from console.auth import Desk, desk_of, principal
from console.changes import Change, Kind
from console.problems import Problem
from console.roles import Principal, Role

router = APIRouter(tags=["events"])
LOOK_S = 0.2
BEAT_S = 5.0
LONGEST_S = 3600.0
"""After an hour a client connects anew, so that a key that was taken back ends."""
RETRY_MS = 2000
DESCRIPTION = """
Each event has an `id`; send the last one as `Last-Event-ID` (browsers do) and no change is missed.

| event | data |
|---|---|
| `alert` | a transition: `episode, kind (raised, changed, cleared), rule, severity, value, …` |
| `incident` | a line of its timeline: `incident, act, kind, title, status, severity, district, …` |
| `ack` | somebody takes care: `episode, acked_at, acked_by` |
| `state` | a sensor's state: `stream, sensor, state, previous, observed_at, value, unit` |
| `beat` | every 5 s: `at` = time of the newest look, `trouble` = why it is not newer ("" = well) |
| `reset` | changes are missing here: read the lists that `read` names anew, then go on |

`act` of an incident is opened, confirmed, changed, resolved, reopened, merged, absorbed, ack,
assign, comment or task; or `evidence`: other alerts of it fire now (`alerts, firing, folded`).
"""


class Beat(BaseModel):
    """How fresh this stream of events is."""

    at: datetime | None
    trouble: str


def watcher(request: Request) -> Principal:
    """Return the caller, who may view; the connection is given back before the stream begins."""
    with desk_of(request).pool.connection() as conn:
        who = principal(request, conn)
    if not who.may(Role.VIEWER):
        raise Problem(403, "not allowed", f"needs role viewer, you are {who.role}", "role")
    return who


@router.get("/events", response_class=EventSourceResponse, description=DESCRIPTION)
async def events(
    request: Request,
    who: Annotated[Principal, Depends(watcher)],
    kind: Annotated[list[Kind] | None, Query()] = None,
    domain: Annotated[list[str] | None, Query()] = None,
    stream: Annotated[list[str] | None, Query()] = None,
    district: Annotated[list[str] | None, Query()] = None,
    last_event_id: Annotated[str, Header()] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Stream changes that pass all given filters."""
    passes = _filter(set(kind or ()), domain=domain, stream=stream, district=district)
    desk = desk_of(request)
    await _awake(desk)
    cursor = last_event_id or desk.live.changes.newest
    yield ServerSentEvent(event="beat", data=_beat(desk), id=cursor, retry=RETRY_MS)
    begun = beaten = desk.clock.monotonic()
    while (now := desk.clock.monotonic()) - begun < LONGEST_S:
        desk.live.look()
        found = desk.live.changes.after(cursor)
        if found is None:
            cursor = desk.live.changes.newest
            yield ServerSentEvent(
                event="reset", data={"read": ["alerts", "incidents", "sensors"]}, id=cursor
            )
        for change in found or ():
            cursor = desk.live.changes.cursor(change.number)
            if passes(change):
                yield ServerSentEvent(event=change.kind, data=change.data, id=cursor)
        if now - beaten > BEAT_S:
            beaten = now
            yield ServerSentEvent(event="beat", data=_beat(desk), id=cursor)
        await asyncio.sleep(LOOK_S)


def _beat(desk: Desk) -> Beat:
    snapshot = desk.live.look()
    return Beat(at=snapshot.at, trouble=snapshot.trouble)


async def _awake(desk: Desk) -> None:
    """Wait for a first look at the city, so that what follows are changes since then."""
    for _ in range(25):
        if desk.live.look().at is not None:
            return
        await asyncio.sleep(LOOK_S)


def _filter(kinds: set[Kind], **wanted: list[str] | None) -> Callable[[Change], bool]:
    sets: dict[str, set[Any]] = {name: set(values) for name, values in wanted.items() if values}

    def passes(change: Change) -> bool:
        if kinds and change.kind not in kinds:
            return False
        return all(change.data.get(name) in values for name, values in sets.items())

    return passes
