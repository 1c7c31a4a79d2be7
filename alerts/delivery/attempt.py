"""One attempt to hand over one message: signed, to a checked address, within a deadline."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import httpx
from standardwebhooks import Webhook

from alerts.delivery.guard import Guard, RefusedTargetError
from alerts.delivery.receivers import ROBOTS

TIMEOUT_S = 15.0
"""For the whole exchange, from looking up the name to the end of the answer's headers."""
BODY_S = 1.0
"""So long an answer's body is read, for the connection to be used again; its status is known."""
MAX_ANSWER = 64 * 1024
GONE = 410
THROTTLED = (429, 502, 504)


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be handed over; ``secrets`` has two while a secret is rotated, newest first."""

    id: str
    seq: int
    body: str
    content_type: str
    url: str
    format: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended."""

    status: int | None
    error: str
    retry_after_s: float | None
    duration_ms: int

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver took it: 2xx and, of a robot, error code 0."""
        return not self.error and self.status is not None and 200 <= self.status < 300

    @property
    def throttled(self) -> bool:
        """Tell whether the receiver or what stands before it asks for less."""
        return self.status in THROTTLED


T = TypeVar("T")


class Caller:
    """Make attempts one after another on connections that are kept; belongs to one thread.

    Its event loop runs in a thread of its own: the caller's may have one already.
    """

    def __init__(self, guard: Guard, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._guard = guard
        self._loop, self._thread = asyncio.Runner(), ThreadPoolExecutor(1, "attempt")
        # a handshake that is cut off by our deadline would leave its socket open, by its own not
        limits = httpx.Timeout(None, connect=TIMEOUT_S / 2)
        self._client = httpx.AsyncClient(
            timeout=limits, follow_redirects=False, trust_env=False, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._client.aclose())
        self._thread.submit(self._loop.close).result()
        self._thread.shutdown()

    def attempt(self, owed: Owed, now: datetime) -> Result:
        """POST one message; every failure is a result, never an exception."""
        begun = time.monotonic()
        status, error, retry_after = None, "", None
        try:
            status, answer, retry_after = self._run(self._exchange(owed, now))
            error = _verdict(owed, status, answer)
        except RefusedTargetError as refused:
            error = f"not allowed: {refused}"
        except TimeoutError:
            error = f"no answer within {TIMEOUT_S:g} s"
        except httpx.HTTPError as failure:
            error = type(failure).__name__ + (f": {failure}" if str(failure) else "")
        except (httpx.InvalidURL, ValueError) as failure:
            error = f"no usable address: {failure}"
        spent = round((time.monotonic() - begun) * 1000)
        return Result(status, error[:500], retry_after, spent)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.submit(self._loop.run, work).result()

    async def _exchange(self, owed: Owed, now: datetime) -> tuple[int, bytes, float | None]:
        """Return status, body and pause. One deadline ends all of it, however it is dripped."""
        ends = asyncio.get_running_loop().time() + TIMEOUT_S
        async with asyncio.timeout_at(ends):
            target = await asyncio.to_thread(self._guard.target, _signed_url(owed, now))
            request = target.request(self._client, owed.body.encode(), headers_of(owed, now))
            answer = await self._client.send(request, stream=True)
        robot = owed.format in ROBOTS
        try:
            body = await _body(answer, ends if robot else min(ends, _in(BODY_S)), whole=not robot)
        finally:
            await answer.aclose()
        return answer.status_code, body, retry_after_s(answer.headers.get("retry-after"), now)


async def _body(answer: httpx.Response, ends: float, *, whole: bool) -> bytes:
    """Return what is said until ``ends``; unless the ``whole`` is wanted, until it is JSON.

    What breaks off here takes nothing back: status and headers have been received.
    """
    body = b""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout_at(ends):
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER or (not whole and _is_json(body)):
                    break
    return body


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def headers_of(owed: Owed, now: datetime) -> dict[str, str]:
    """Return the Standard Webhooks headers, and the receiver's sequence number."""
    signatures = [
        Webhook(secret).sign(owed.id, now, owed.body)
        for secret in owed.secrets
        if secret.startswith("whsec_")
    ]
    headers = {
        "accept-encoding": "identity",  # an answer is read up to a limit, not unpacked beyond it
        "content-type": owed.content_type,
        "user-agent": "cityops",
        "webhook-id": owed.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-sequence": str(owed.seq),
    }
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def _verdict(owed: Owed, status: int, answer: bytes) -> str:
    if not 200 <= status < 300:
        return f"HTTP {status}"
    if owed.format not in ROBOTS:
        return ""
    try:
        said = json.loads(answer)
        code = said.get("errcode", 0)
    except (ValueError, AttributeError):
        return "the robot's answer is no JSON object"
    return f"errcode {code}: {said.get('errmsg', '')}" if code else ""


def _signed_url(owed: Owed, now: datetime) -> str:
    """Return the address; DingTalk wants time and signature in its query."""
    secret = owed.secrets[0] if owed.secrets else ""
    if owed.format != "dingtalk" or not secret:
        return owed.url
    stamp = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    query = urlencode({"timestamp": stamp, "sign": base64.b64encode(digest).decode()})
    return f"{owed.url}{'&' if '?' in owed.url else '?'}{query}"


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, as seconds or as a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now) / timedelta(seconds=1))
    except (ValueError, TypeError):
        return None
