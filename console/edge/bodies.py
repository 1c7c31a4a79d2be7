"""Bound each request's body in size and time before anything is asked about the caller."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.problems import Problem, respond

MAX_BODY = 2 * 2**20
"""Bytes of one body; 2 000 alerts of a webhook fit."""
MAX_FILE = 11 * 2**20
"""Of a photo or document: what ``records.attachments`` takes, and a little around it."""
DEADLINE_S = 30.0
"""Seconds for a whole body."""
GRACE_S = 5.0
MIN_RATE = 2048
"""Bytes a second that must have come on average once ``GRACE_S`` is over."""
LINGER_S = 5.0
"""Seconds in which what a refused client still sends is read and dropped, so that it can read
the answer; then the connection is closed."""


class BodyLimit:
    """Reads the body of a request within its bounds and passes it on whole, or refuses it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 or 408, or pass the request on with its body."""
        headers = dict(scope.get("headers", ()))
        length = headers.get(b"content-length", b"0")
        if scope["type"] != "http" or (length == b"0" and b"transfer-encoding" not in headers):
            return await self._app(scope, receive, send)
        most = _most(scope["path"])
        found = _too_large(most) if int(length) > most else await _read(receive, most)
        if found is None:  # the client has gone
            return None
        if isinstance(found, Problem):
            return await _refuse(found, scope, receive, send)
        return await self._app(scope, _replay(found, receive), send)


def _most(path: str) -> int:
    is_file = path.startswith("/api/v1/records/") and path.endswith("/attachments")
    return MAX_FILE if is_file else MAX_BODY


async def _read(receive: Receive, most: int) -> bytes | Problem | None:
    """Return the body, why it is refused, or None when the client has gone."""
    body, begun = bytearray(), time.monotonic()
    while True:
        allowed = min(DEADLINE_S, GRACE_S + len(body) / MIN_RATE)
        left = allowed - (time.monotonic() - begun)
        try:
            message = await asyncio.wait_for(receive(), max(0, left))
        except TimeoutError:
            return _too_slow()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            return _too_large(most)
        if not message.get("more_body", False):
            return bytes(body)


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, then read on for a moment: a client reset while it sends reads nothing."""

    async def hold_open(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "more_body": True}
        await send(message)

    await respond(problem)(scope, receive, hold_open)
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return what hands the body over once, then says when the client goes."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def _too_large(most: int = MAX_BODY) -> Problem:
    detail = f"at most {most} bytes a request"
    return Problem(413, "body too large", detail, "body_size", Connection="close")


def _too_slow() -> Problem:
    detail = f"a body comes within {DEADLINE_S:.0f} s, with at least {MIN_RATE} bytes a second"
    return Problem(408, "too slow", detail, "slow", Connection="close")
