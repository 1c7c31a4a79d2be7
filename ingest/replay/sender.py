"""Requests of a replay: the gateway's HTTP contract, with patience while it is away."""

import threading
from datetime import datetime
from typing import Any

import httpx
import msgspec

from catalog.errors import ConflictError, FatalError, TransientError
from ingest.readings import FieldError
from service.clock import Clock

PATIENCE_S = 60.0
TIMEOUT_S = 30.0
AGAIN = (429, 502, 503, 504)


class StoppedError(ConflictError):
    """The user asked to stop; all that was acknowledged is saved."""


class GatewaySender:
    """Posts readings of one stream.

    Raises ``FatalError`` when the gateway will never take them (key, address), ``TransientError``
    when it stayed away for ``patience_s``, ``StoppedError`` when asked to stop while waiting.
    """

    def __init__(
        self,
        client: httpx.Client,
        stream: str,
        clock: Clock,
        stop: threading.Event,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._client = client
        self._path = f"/v1/streams/{stream}/readings"
        self._clock = clock
        self._stop = stop
        self._patience_s = patience_s

    def send(self, readings: list[dict[str, Any]]) -> list[FieldError]:
        """Post until the gateway answers for good; return its errors, none when all are stored."""
        body = msgspec.json.encode({"readings": readings})
        answer = self._post(body)
        if answer.status_code == 202:
            return []
        if answer.status_code == 422:
            return msgspec.convert(answer.json()["errors"], list[FieldError])
        raise FatalError(
            f"the gateway answered {answer.status_code}: {answer.text[:300]}",
            code="gateway",
            stage="receiving",
        )

    def _post(self, body: bytes) -> httpx.Response:
        deadline = self._clock.monotonic() + self._patience_s
        while True:
            retry_s, trouble = 1.0, ""
            try:
                answer = self._client.post(
                    self._path, content=body, headers={"Content-Type": "application/json"}
                )
                if answer.status_code not in AGAIN:
                    return answer
                retry_s = float(answer.headers.get("Retry-After", 1))
                trouble = f"{answer.status_code} {answer.text[:200]}"
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__}: {error}"
            if self._clock.monotonic() + retry_s > deadline:
                raise TransientError(
                    f"no gateway at {self._client.base_url} ({trouble}); run again to resume",
                    code="gateway",
                    stage="receiving",
                )
            if self._stop.wait(retry_s):
                raise StoppedError


class Rhythm:
    """Sends each reading when its time comes: ``speed`` times real pace, or at once (None)."""

    def __init__(self, speed: float | None, clock: Clock, stop: threading.Event) -> None:
        self._speed = speed
        self._clock = clock
        self._stop = stop
        self._start: tuple[float, datetime] | None = None

    def is_due(self, at: datetime) -> bool:
        """Tell whether a reading of this time may be sent; ``StoppedError`` when asked to stop."""
        if self._stop.is_set():
            raise StoppedError
        return self._left_s(at) <= 0

    def wait(self, at: datetime) -> None:
        """Return when the reading is due; ``StoppedError`` when asked to stop before."""
        if self._stop.wait(max(0.0, self._left_s(at))):
            raise StoppedError

    def _left_s(self, at: datetime) -> float:
        if self._speed is None:
            return 0.0
        if self._start is None:
            self._start = (self._clock.monotonic(), at)
        started, first = self._start
        return started + (at - first).total_seconds() / self._speed - self._clock.monotonic()
