"""Deliver the outbox: one queue per receiver, in order, signed, at least once."""

import random
import sys
import threading
import time
from datetime import timedelta
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from psycopg import Connection
from psycopg.rows import dict_row

from alerts.delivery.attempt import GONE, Caller, Owed, Result
from alerts.delivery.guard import Guard, guard_of
from alerts.delivery.vault import Vault, open_vault
from alerts.settings import AlertSettings
from alerts.wake import CHANNEL, wake_screens
from service.metrics import seconds
from service.process import run_process
from service.reconnecting import keep_connected
from service.vitals import Vitals

SCHEDULE_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
"""Seconds to the next attempt after the first, second … failure; then it is given up and shown."""
THROTTLE_S = 30.0
"""The least pause after 429, 502 or 504, whatever the schedule says."""
JITTER = 0.2
IDLE_S = 1.0
LOCK_SPACE = 0x68  # advisory locks of receivers' queues

ATTEMPTS = Counter("cityops_deliver_attempts", "Webhook attempts", ["result"])
ATTEMPT_SECONDS = seconds("cityops_deliver_attempt_seconds", "Duration of one attempt")
WAITING = Gauge("cityops_deliver_waiting", "Messages that are not delivered yet")
OLDEST = Gauge("cityops_deliver_oldest_waiting_seconds", "Age of the oldest of them")
LATENCY = Histogram(
    "cityops_alert_latency_seconds",
    "From breach (observed: the reading's time, produced: the worker's transition) to delivery",
    ["since"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800),
)


def next_delay(attempts: int, result: Result, dice: random.Random) -> float | None:
    """Return seconds until the next attempt, None when it is given up."""
    if attempts > len(SCHEDULE_S):
        return None
    planned = SCHEDULE_S[attempts - 1] * dice.uniform(1 - JITTER, 1 + JITTER)
    least = THROTTLE_S if result.throttled else 0.0
    return max(planned, least, min(result.retry_after_s or 0.0, SCHEDULE_S[-1]))


class Queue:
    """Works off one receiver's messages in order; runs in a thread of its own."""

    def __init__(
        self, settings: AlertSettings, receiver: int, guard: Guard, vault: Vault, vitals: Vitals
    ) -> None:
        self._settings = settings
        self._receiver = receiver
        self._guard = guard
        self._vault = vault
        self._vitals = vitals
        self._dice = random.Random()
        self._over = threading.Event()
        self.wake = threading.Event()

    def end(self) -> None:
        """Stop after the message at hand."""
        self._over.set()
        self.wake.set()

    def run(self) -> None:
        """Deliver until the end; a database that is away is waited out."""
        with Caller(self._guard) as caller:

            def work(conn: Connection) -> None:
                self._work(conn, caller)

            dsn = self._settings.database()
            # the process that holds the queues says in /health that the database is away
            keep_connected(dsn, "deliver", work, self._over, lambda _: None, fault_s=IDLE_S)

    def _work(self, conn: Connection, caller: Caller) -> None:
        key = [LOCK_SPACE, self._receiver]
        while not self._over.is_set():
            locked = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", key).fetchone()
            if locked and locked[0]:
                break
            self._over.wait(IDLE_S)
        while not self._over.is_set():
            self.wake.clear()
            if not self._deliver_next(conn, caller):
                self.wake.wait(IDLE_S)

    def _deliver_next(self, conn: Connection, caller: Caller) -> bool:
        """Try the first message that is not delivered; False when there is nothing to do now."""
        with conn.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_NEXT, [self._receiver]).fetchone()
        if row is None:
            return False
        result = caller.attempt(self._owed(row), row["now"])
        record(conn, row, result, self._dice)
        self._vitals.progress(int(result.delivered))
        return True

    def _owed(self, row: dict[str, Any]) -> Owed:
        sealed = [row["secret"], row["previous_secret"]]
        secrets = tuple(self._vault.open(s) for s in sealed if s)
        names = ("id", "body", "content_type", "url", "format")
        return Owed(seq=row["receiver_seq"], secrets=secrets, **{n: row[n] for n in names})


def record(conn: Connection, row: dict[str, Any], result: Result, dice: random.Random) -> None:
    """Write down how an attempt ended, and when the next one is due."""
    attempts, delivered = row["attempts"] + 1, result.delivered
    delay = None if delivered else next_delay(attempts, result, dice)
    with conn.transaction():
        conn.execute(
            "INSERT INTO deliveries (outbox, attempt, status_code, error, duration_ms)"
            " VALUES (%s, %s, %s, %s, %s)",
            [row["id"], attempts, result.status, result.error or None, result.duration_ms],
        )
        conn.execute(
            _RECORD,
            {
                "attempts": attempts,
                "error": result.error,
                "ok": delivered,
                "delay": delay,
                "id": row["id"],
            },
        )
        if result.status == GONE:
            conn.execute(
                "UPDATE receivers SET enabled = false, disabled_reason ="
                " 'the receiver answered 410 Gone' WHERE id = %s",
                [row["receiver"]],
            )
        wake_screens(conn)
    _measure(row, result)


def _measure(row: dict[str, Any], result: Result) -> None:
    delivered = result.delivered
    ATTEMPTS.labels("delivered" if delivered else "failed").inc()
    ATTEMPT_SECONDS.observe(result.duration_ms / 1000)
    if not delivered or row["first_delivered_at"] is not None:
        return
    now = row["now"] + timedelta(milliseconds=result.duration_ms)
    for since in ("observed", "produced"):
        if at := row[f"{since}_at"]:
            LATENCY.labels(since).observe(max(0.0, (now - at).total_seconds()))


_NEXT = """
SELECT h.* FROM (SELECT o.next_attempt_at, o.id, o.receiver, o.receiver_seq, o.body,
       o.content_type, o.attempts, o.observed_at, o.produced_at, o.first_delivered_at,
       r.url, r.format, r.secret, clock_timestamp() AS now,
       CASE WHEN r.previous_until > clock_timestamp() THEN r.previous_secret END AS previous_secret
FROM outbox o JOIN receivers r ON r.id = o.receiver AND r.enabled
WHERE o.receiver = %s AND o.delivered_at IS NULL AND o.failed_at IS NULL
ORDER BY o.receiver_seq LIMIT 1) h
WHERE h.next_attempt_at <= clock_timestamp()
"""
# what no pause after a failed attempt holds back: somebody should be at it
_DUE = """
SELECT count(*) FROM receivers r, LATERAL (
    SELECT next_attempt_at FROM outbox o
    WHERE o.receiver = r.id AND o.delivered_at IS NULL AND o.failed_at IS NULL
    ORDER BY o.receiver_seq LIMIT 1) h
WHERE r.enabled AND h.next_attempt_at <= clock_timestamp()
"""
_RECORD = """
UPDATE outbox SET attempts = %(attempts)s, last_error = nullif(%(error)s, ''),
    delivered_at = CASE WHEN %(ok)s THEN clock_timestamp() END,
    first_delivered_at = coalesce(first_delivered_at, CASE WHEN %(ok)s THEN clock_timestamp() END),
    failed_at = CASE WHEN NOT %(ok)s AND %(delay)s::float8 IS NULL THEN clock_timestamp() END,
    next_attempt_at = clock_timestamp() + make_interval(secs => coalesce(%(delay)s::float8, 0))
WHERE id = %(id)s
"""


def run_deliver(settings: AlertSettings, vitals: Vitals, stop: threading.Event) -> None:
    """Keep a queue per receiver and wake them when the engine says there is something new."""
    queues: dict[int, Queue] = {}
    guard, vault = guard_of(settings, settings.webhook_hosts), open_vault(settings.vault_file())

    def work(conn: Connection) -> None:
        shown = 0.0
        conn.execute(f"LISTEN {CHANNEL}".encode())
        while not stop.is_set():
            wanted = _receivers(conn)
            for receiver in set(queues) - wanted:
                queues.pop(receiver).end()
            for receiver in wanted - set(queues):
                queues[receiver] = Queue(settings, receiver, guard, vault, vitals)
                _start(queues[receiver], receiver)
            if time.monotonic() - shown > IDLE_S:
                _show(conn, vitals)
                shown = time.monotonic()
            for _ in conn.notifies(timeout=IDLE_S, stop_after=1):
                for queue in queues.values():
                    queue.wake.set()
            vitals.trouble("")

    def trouble(reason: str) -> None:
        vitals.trouble(reason)
        vitals.lag(None)  # not known; the database is waited for, which is no stall

    vitals.ready()
    keep_connected(settings.database(), "deliver", work, stop, trouble, retry_s=IDLE_S)
    for queue in queues.values():
        queue.end()


def _receivers(conn: Connection) -> set[int]:
    return {row[0] for row in conn.execute("SELECT id FROM receivers WHERE enabled")}


def _start(queue: Queue, receiver: int) -> None:
    threading.Thread(target=queue.run, name=f"receiver-{receiver}", daemon=True).start()


def _show(conn: Connection, vitals: Vitals) -> None:
    row = conn.execute(
        "SELECT count(*), extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox"
        " WHERE delivered_at IS NULL AND failed_at IS NULL"
    ).fetchone()
    waiting, oldest = row if row else (0, None)
    age_s = round(float(oldest or 0), 1)
    vitals.detail(undelivered=waiting, oldest_undelivered_s=age_s)
    due = conn.execute(_DUE).fetchone()
    vitals.lag(due[0] if due else 0)
    WAITING.set(waiting)
    OLDEST.set(age_s)


def main() -> int:
    """Run until SIGTERM; return the exit code."""
    settings = AlertSettings()
    return run_process("alerts-deliver", settings, lambda v, stop: run_deliver(settings, v, stop))


if __name__ == "__main__":
    sys.exit(main())
