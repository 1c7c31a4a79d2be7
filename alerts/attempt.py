"""One attempt to hand over one message: signed, to a checked address, within a deadline."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import httpx
from standardwebhooks import Webhook

from alerts.guard import Guard, RefusedTargetError, Target

TIMEOUT_S = 15.0
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


def attempt(client: httpx.Client, guard: Guard, owed: Owed, now: datetime) -> Result:
    """POST one message; every failure is a result, never an exception."""
    begun = time.monotonic()
    status, error, retry_after = None, "", None
    try:
        target = guard.target(_signed_url(owed, now))
        status, answer, retry_after = _post(client, target, owed, now)
        error = _verdict(owed, status, answer)
    except RefusedTargetError as refused:
        error = f"not allowed: {refused}"
    except httpx.HTTPError as failure:
        error = type(failure).__name__ + (f": {failure}" if str(failure) else "")
    except (httpx.InvalidURL, ValueError) as failure:
        error = f"no usable address: {failure}"
    spent = round((time.monotonic() - begun) * 1000)
    return Result(status, error[:500], retry_after, spent)


def headers_of(owed: Owed, now: datetime) -> dict[str, str]:
    """Return the Standard Webhooks headers, and the receiver's sequence number."""
    signatures = [
        Webhook(secret).sign(owed.id, now, owed.body)
        for secret in owed.secrets
        if secret.startswith("whsec_")
    ]
    headers = {
        "content-type": owed.content_type,
        "user-agent": "cityops",
        "webhook-id": owed.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-sequence": str(owed.seq),
    }
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def _post(
    client: httpx.Client, target: Target, owed: Owed, now: datetime
) -> tuple[int, bytes, float | None]:
    deadline = time.monotonic() + TIMEOUT_S
    request = target.request(client, owed.body.encode(), headers_of(owed, now))
    answer = client.send(request, stream=True)
    try:
        body = b""
        for part in answer.iter_bytes():
            body += part
            if len(body) > MAX_ANSWER or time.monotonic() > deadline:
                break  # what it said so far is enough; a slow drip must not hold the queue
    finally:
        answer.close()
    return answer.status_code, body, retry_after_s(answer.headers.get("retry-after"), now)


def _verdict(owed: Owed, status: int, answer: bytes) -> str:
    if not 200 <= status < 300:
        return f"HTTP {status}"
    if owed.format not in ("wecom", "dingtalk"):
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
