"""Devices on the wire: tell one to show or blank, ask it what it shows. HTTP with JSON.

``PUT <address>/message`` shows: ``{"pages": [[line, …], …], "page_s", "ttl_s"}``, with the header
``Idempotency-Key``. ``DELETE <address>/message`` blanks what the header ``If-Match`` names, 412 if
it shows another. ``GET <address>`` reads back: ``{"status": "ok" or "failed", "showing": {"key",
"pages"} or null, "last_key"}``.

A device ignores a key that it has had, and blanks itself when ``ttl_s`` is over. Its clock does not
matter.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from catalog.errors import FatalError
from catalog.plan.device import Screen, devices
from catalog.plan.layout import LINE, PAGE, pages_of
from records.plans.store import Command, Said

TIMEOUT_S = 2.0
AT_ONCE = 8
MOST_BYTES = 64 * 1024
ID = "{id}"
T = TypeVar("T")
R = TypeVar("R")


class Showing(BaseModel):
    """What a device says it shows."""

    key: str = Field(max_length=200)
    pages: list[list[str]] = Field(max_length=20)


class Answer(BaseModel):
    """What a device says of itself."""

    status: Literal["ok", "failed"]
    showing: Showing | None = None
    last_key: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Heard:
    """How a command went. ``away`` = nobody knows whether it was heard."""

    how: Literal["done", "refused", "away"]
    why: str = ""


class Fleet:
    """All devices with an address; asks and tells several at once."""

    def __init__(self, addresses: str, client: httpx.Client | None = None) -> None:
        self._addresses = _read(addresses)
        limits = httpx.Limits(max_connections=AT_ONCE)
        self._client = client or httpx.Client(timeout=TIMEOUT_S, limits=limits, trust_env=False)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="devices")

    def has(self, kind: str) -> bool:
        """Tell whether devices of a kind can be reached."""
        return kind in self._addresses

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return ``work`` of each, several at once, in order."""
        return list(self._pool.map(work, items))

    def close(self) -> None:
        """Give up threads and connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def ask(self, kind: str, device: str, now: datetime) -> Said:
        """Return what a device shows; one that makes no sense is ``away`` as one that is silent."""
        named = {"kind": kind, "device": device, "asked_at": now}
        try:
            answer = self._get(kind, device)
        except (httpx.HTTPError, ValueError) as error:
            why = _words(error)
            return Said(**named, status="away", key="", message="", why=why, seen_at=None)
        shown = answer.showing
        return Said(
            **named,
            status=answer.status,
            key=shown.key if shown else "",
            message=PAGE.join(LINE.join(page) for page in shown.pages)[:1000] if shown else "",
            why="",
            seen_at=now,
        )

    def tell(self, command: Command, now: datetime) -> Heard:
        """Send a command; one that was tried before is sent only if the device has not heard it."""
        try:
            if command.attempts > 1 and command.action == "show":
                answer = self._get(command.kind, command.device)
                if command.key in (answer.last_key, answer.showing and answer.showing.key):
                    return Heard("done", "had been heard before")
            return self._send(command, now)
        except (httpx.HTTPError, ValueError) as error:
            return Heard("away", _words(error))

    def _send(self, command: Command, now: datetime) -> Heard:
        address = f"{self._address(command.kind, command.device)}/message"
        headers = {"Idempotency-Key": command.key}
        if command.action == "blank":
            answer = self._client.delete(address, headers=headers | {"If-Match": command.of_key})
            if answer.status_code in (404, 410, 412):
                return Heard("done", "it shows another")
        else:
            known = devices().get(command.kind, {}).get(command.device)
            body = {
                "pages": pages_of(command.message),
                "page_s": (known.screen if known else Screen()).page_s,
                "ttl_s": round((command.expires_at - now).total_seconds(), 1),
            }
            answer = self._client.put(address, headers=headers, json=body)
        if answer.is_success:
            return Heard("done")
        if 400 <= answer.status_code < 500 and answer.status_code not in (408, 425, 429):
            return Heard("refused", f"HTTP {answer.status_code}")
        return Heard("away", f"HTTP {answer.status_code}")

    def _get(self, kind: str, device: str) -> Answer:
        """Ask a device; ``ValueError`` for an answer that makes no sense."""
        body = b""
        with self._client.stream("GET", self._address(kind, device)) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise ValueError(f"its answer is longer than {MOST_BYTES} bytes")
        return Answer.model_validate_json(body)

    def _address(self, kind: str, device: str) -> str:
        if kind not in self._addresses:
            raise ValueError(f"CITYOPS_DEVICES has no address of a {kind}")
        return self._addresses[kind].replace(ID, device)


def _read(said: str) -> dict[str, str]:
    """Return kind → address of a setting ``KIND=http://…/{id},…``; ``FatalError`` if it is none."""
    found: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in said.split(","))):
        kind, sign, address = part.partition("=")
        if not sign or ID not in address or not address.startswith(("http://", "https://")):
            words = f"CITYOPS_DEVICES: {part!r} is no KIND=http://…/{ID}"
            raise FatalError(words, code="setting", stage="starting")
        found[kind.strip()] = address.strip().rstrip("/")
    return found


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"its answer makes no sense: {error.error_count()} faults"
    return (str(error) or type(error).__name__)[:200]
