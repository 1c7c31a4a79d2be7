"""Vital signs of a process: progress, lag and rate, served as ``/health`` and ``/metrics``.

Health is judged by progress, not by "process up": lag without progress for ``stall_s`` is unwell.
"""

import threading
from datetime import datetime

import msgspec

from service.clock import Clock, SystemClock

_RATE_SMOOTHING_S = 10.0
BLOCKED_S = 10.0
"""An event loop that has not turned for so long is unhealthy: it answers nobody."""


class Health(msgspec.Struct, frozen=True):
    """What ``/health`` answers; the status table reads the same fields from every process."""

    process: str
    healthy: bool
    reason: str
    lag: int | None
    rows_per_s: float | None
    rows_total: int | None
    newest_observed_at: datetime | None
    details: dict[str, object]


class Vitals:
    """Thread-safe record of what a process does. Call ``progress`` once per batch."""

    def __init__(self, process: str, *, stall_s: float = 30.0, clock: Clock | None = None) -> None:
        self.process = process
        self._stall_s = stall_s
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._rows = 0
        self._rate = 0.0
        self._last = self._clock.monotonic()
        self._started = False
        self._counts_rows = False
        self._lag: int | None = None
        self._waits_since = self._last
        self._newest: datetime | None = None
        self._troubles: dict[str, str] = {}
        self._details: dict[str, object] = {}
        self._turned: float | None = None

    def ready(self) -> None:
        """Say that start-up is over; before this the process is unwell with reason "starting"."""
        with self._lock:
            self._started = True
            self._last = self._clock.monotonic()

    def progress(self, rows: int = 0, *, newest: datetime | None = None) -> None:
        """Record that work was done: ``rows`` handled, the newest event time seen."""
        with self._lock:
            now = self._clock.monotonic()
            elapsed = max(now - self._last, 1e-3)
            weight = min(1.0, elapsed / _RATE_SMOOTHING_S)
            self._rate += weight * (rows / elapsed - self._rate)
            self._rows += rows
            self._counts_rows |= rows > 0
            self._last = now
            if newest and (self._newest is None or newest > self._newest):
                self._newest = newest

    def lag(self, messages: int | None) -> None:
        """Record how many messages wait to be handled."""
        with self._lock:
            if messages and not self._lag:
                self._waits_since = self._clock.monotonic()
            self._lag = messages

    def loop_turned(self) -> None:
        """Record that the process's event loop turns; call it every second from within it."""
        with self._lock:
            self._turned = self._clock.monotonic()

    def trouble(self, reason: str, of: str = "") -> None:
        """Record what is wrong ("" = nothing); an unwell process says it in ``/health``.

        ``of`` names one of several loops: each takes back its own words only.
        """
        with self._lock:
            self._troubles[of] = reason

    def detail(self, **values: object) -> None:
        """Add process-specific values to ``/health``."""
        with self._lock:
            self._details.update(values)

    def stalled_for(self) -> float:
        """Return seconds without progress while work waits; 0 when nothing waits."""
        with self._lock:
            # after a quiet hour the first message has not waited for an hour
            since = max(self._last, self._waits_since)
            return self._clock.monotonic() - since if self._lag else 0.0

    def blocked_for(self) -> float:
        """Return seconds since the event loop last turned; 0 for a process that has none."""
        with self._lock:
            return 0.0 if self._turned is None else self._clock.monotonic() - self._turned

    def health(self) -> Health:
        """Return the present state."""
        stalled, blocked = self.stalled_for(), self.blocked_for()
        with self._lock:
            reason = "; ".join(filter(None, self._troubles.values()))
            if not self._started:
                reason = reason or "starting"
            elif not reason and stalled > self._stall_s:
                reason = f"{self._lag} messages wait, no progress for {stalled:.0f} s"
            if not reason and blocked > BLOCKED_S:
                reason = f"its event loop has been blocked for {blocked:.0f} s"
            idle = max(0.0, self._clock.monotonic() - self._last - _RATE_SMOOTHING_S)
            rate = self._rate * max(0.0, 1.0 - idle / _RATE_SMOOTHING_S)
            return Health(
                process=self.process,
                healthy=not reason,
                reason=reason,
                lag=self._lag,
                rows_per_s=round(rate, 1) if self._counts_rows else None,
                rows_total=self._rows if self._counts_rows else None,
                newest_observed_at=self._newest,
                details=dict(self._details),
            )
