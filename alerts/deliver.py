"""Deliver the outbox: one queue per receiver, in order, signed, at least once."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import psycopg
from prometheus_client import Counter
from psycopg import Connection
from pydantic import Field
from standardwebhooks import Webhook

from alerts.engine import CHANNEL
from service.log import logger
from service.postgres import connect
from service.settings import Settings
from service.vitals import Vitals

SCHEDULE_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
"""Seconds to the next attempt after the first, second … failure; then it is given up and shown."""
JITTER = 0.2
TIMEOUT_S = 15.0
IDLE_S = 1.0
LOCK_SPACE = 0x68  # advisory locks of receivers' queues
GONE = 410

ATTEMPTS = Counter("cityops_deliver_attempts", "Webhook attempts", ["result"])


class AlertSettings(Settings):
    """Settings of the alerts processes."""

    webhook_hosts: list[str] = Field(
        default=["127.0.0.1", "localhost", "::1"],
        description="Hosts webhooks may go to (JSON list)",
    )
    receivers_file: str = Field(default="", description="TOML file of receivers; none when empty")


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended."""

    status: int | None
    error: str
    retry_after_s: float | None
    duration_ms: int

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver took it: 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300


def attempt(
    client: httpx.Client, url: str, secret: str, message_id: str, body: str, now: datetime
) -> Result:
    """POST one signed message; every failure is a result, never an exception."""
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    begun = datetime.now(UTC)
    status, error, retry_after = None, "", None
    try:
        answer = client.post(url, content=body.encode(), headers=headers)
        status = answer.status_code
        retry_after = _retry_after(answer.headers.get("retry-after"), now)
        error = "" if answer.is_success else f"HTTP {status}"
    except httpx.HTTPError as failure:
        error = type(failure).__name__
    spent = datetime.now(UTC) - begun
    return Result(status, error, retry_after, round(spent.total_seconds() * 1000))


def next_delay(attempts: int, result: Result, dice: random.Random) -> float | None:
    """Return seconds until the next attempt, None when it is given up."""
    if attempts > len(SCHEDULE_S):
        return None
    planned = SCHEDULE_S[attempts - 1] * dice.uniform(1 - JITTER, 1 + JITTER)
    return max(planned, min(result.retry_after_s or 0.0, SCHEDULE_S[-1]))


class Queue:
    """Works off one receiver's messages in order; runs in a thread of its own."""

    def __init__(self, settings: Settings, receiver: int, vitals: Vitals) -> None:
        self._settings = settings
        self._receiver = receiver
        self._vitals = vitals
        self._dice = random.Random()
        self.wake = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop``; a database that is away is waited out."""
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            while not stop.is_set():
                try:
                    self._work(client, stop)
                except psycopg.Error as error:
                    logger().warning("deliveries wait for the database", reason=str(error)[:200])
                    stop.wait(IDLE_S)

    def _work(self, client: httpx.Client, stop: threading.Event) -> None:
        with connect(self._settings.database(), "deliver", autocommit=True) as conn:
            key = [LOCK_SPACE, self._receiver]
            while not stop.is_set():
                locked = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", key).fetchone()
                if locked and locked[0]:
                    break
                stop.wait(IDLE_S)
            while not stop.is_set():
                self.wake.clear()
                if not self._deliver_next(conn, client):
                    self.wake.wait(IDLE_S)

    def _deliver_next(self, conn: Connection, client: httpx.Client) -> bool:
        """Try the first message that is not delivered; False when there is nothing to do now."""
        row = conn.execute(
            "SELECT o.id, o.body, o.attempts, r.url, r.secret FROM outbox o"
            " JOIN receivers r ON r.id = o.receiver AND r.enabled WHERE o.seq = ("
            " SELECT min(seq) FROM outbox WHERE receiver = %s"
            " AND delivered_at IS NULL AND failed_at IS NULL)"
            " AND o.next_attempt_at <= clock_timestamp()",
            [self._receiver],
        ).fetchone()
        if row is None:
            return False
        message_id, body, attempts, url, secret = row
        result = attempt(client, url, secret, message_id, body, datetime.now(UTC))
        self._record(conn, message_id, attempts + 1, result)
        return True

    def _record(self, conn: Connection, message_id: str, attempts: int, result: Result) -> None:
        ATTEMPTS.labels("delivered" if result.delivered else "failed").inc()
        delay = None if result.delivered else next_delay(attempts, result, self._dice)
        with conn.transaction():
            conn.execute(
                "INSERT INTO deliveries (outbox, attempt, status_code, error, duration_ms)"
                " VALUES (%s, %s, %s, %s, %s)",
                [message_id, attempts, result.status, result.error or None, result.duration_ms],
            )
            conn.execute(
                "UPDATE outbox SET attempts = %(attempts)s, last_error = nullif(%(error)s, ''),"
                " delivered_at = CASE WHEN %(ok)s THEN clock_timestamp() END,"
                " failed_at = CASE WHEN NOT %(ok)s AND %(delay)s::float8 IS NULL"
                " THEN clock_timestamp() END, next_attempt_at = clock_timestamp()"
                " + make_interval(secs => coalesce(%(delay)s::float8, 0)) WHERE id = %(id)s",
                {
                    "attempts": attempts,
                    "error": result.error,
                    "ok": result.delivered,
                    "delay": delay,
                    "id": message_id,
                },
            )
            if result.status == GONE:
                conn.execute(
                    "UPDATE receivers SET enabled = false, disabled_reason ="
                    " 'the receiver answered 410 Gone' WHERE id = %s",
                    [self._receiver],
                )
        self._vitals.progress(int(result.delivered))


def run_deliver(settings: Settings, vitals: Vitals, stop: threading.Event) -> None:
    """Keep a queue per receiver and wake them when the engine says there is something new."""
    queues: dict[int, Queue] = {}
    vitals.ready()
    while not stop.is_set():
        try:
            with connect(settings.database(), "deliver", autocommit=True) as conn:
                conn.execute(f"LISTEN {CHANNEL}".encode())
                while not stop.is_set():
                    _look_after(conn, queues, settings, vitals, stop)
                    for _ in conn.notifies(timeout=IDLE_S, stop_after=1):
                        _each(queues, lambda queue: queue.wake.set())
                    vitals.trouble("")
        except psycopg.Error as error:
            vitals.trouble(str(error)[:200])
            stop.wait(IDLE_S)
    _each(queues, lambda queue: queue.wake.set())


def _look_after(
    conn: Connection,
    queues: dict[int, Queue],
    settings: Settings,
    vitals: Vitals,
    stop: threading.Event,
) -> None:
    """Start queues of new receivers; show what is undelivered."""
    for (receiver,) in conn.execute("SELECT id FROM receivers WHERE enabled").fetchall():
        if receiver not in queues:
            queues[receiver] = Queue(settings, receiver, vitals)
            name = f"receiver-{receiver}"
            work = queues[receiver].run
            threading.Thread(target=work, args=(stop,), name=name, daemon=True).start()
    row = conn.execute(
        "SELECT count(*), extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox"
        " WHERE delivered_at IS NULL AND failed_at IS NULL"
    ).fetchone()
    waiting, oldest = row if row else (0, None)
    vitals.detail(undelivered=waiting, oldest_undelivered_s=round(float(oldest or 0), 1))


def _each(queues: dict[int, Queue], act: Callable[[Queue], Any]) -> None:
    for queue in queues.values():
        act(queue)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, as seconds or as a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now) / timedelta(seconds=1))
    except (ValueError, TypeError):
        return None
