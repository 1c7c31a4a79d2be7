"""Transitions → episodes and outbox, in one transaction with the offsets."""

import hashlib
import threading
from datetime import UTC, datetime

from kafka.consumer.fetcher import ConsumerRecord
from prometheus_client import Counter
from psycopg import Connection

from alerts.body import webhook_body
from catalog.contracts import Transition, decode_transition
from catalog.frames import FrameError
from catalog.registry import streams
from catalog.topics import transitions_topic
from service.settings import Settings
from service.vitals import Vitals
from storage.exact import ExactConsumer, Stored

NAME = "alerts"
CHANNEL = "outbox"
POLL_MS = 50

APPLIED = Counter("cityops_alerts_transitions", "Transitions recorded", ["kind"])
REPEATED = Counter("cityops_alerts_repeats", "Transitions that were recorded before")


class Engine:
    """Keeps episodes: the worker owns their state, people own acknowledgement."""

    def store(self, conn: Connection, records: list[ConsumerRecord]) -> Stored:
        """Record transitions once each; owe every matching receiver a webhook."""
        kinds: list[str] = []
        newest: datetime | None = None
        for record in records:
            try:
                transition = decode_transition(record.value)
            except FrameError as error:
                keep_dead_letter(conn, record, error.code, error.reason)
                continue
            if apply(conn, transition):
                kinds.append(transition.kind)
            newest = max(newest or transition.observed_at, transition.observed_at)
        if kinds:
            conn.execute(f"NOTIFY {CHANNEL}".encode())
        repeats = len(records) - len(kinds)
        return Stored(len(kinds), newest, lambda: _count(kinds, repeats))

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        """Keep a transition that contradicts what is stored, e.g. a second open episode."""
        keep_dead_letter(conn, record, "database", reason)
        return Stored(0, None)


def apply(conn: Connection, t: Transition) -> bool:
    """Apply one transition; False when it was recorded before."""
    done = conn.execute(
        "INSERT INTO transitions (id, episode, rule, stream, sensor, kind, severity, previous,"
        " metric, value, threshold, observed_at, produced_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            *(t.id, t.episode, t.rule, t.stream, t.sensor, t.kind, t.severity, t.previous),
            *(t.metric, t.value, t.threshold, t.observed_at, t.produced_at),
        ],
    )
    if done.rowcount == 0:
        return False
    _apply_to_episode(conn, t)
    _enqueue(conn, t)
    return True


def _apply_to_episode(conn: Connection, t: Transition) -> None:
    if t.kind == "raised":
        conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, changed_at)"
            " VALUES (%s, %s, %s, %s, 'active', %s, %s, %s, %s, %s, %s, %s)",
            [
                *(t.episode, t.rule, t.stream, t.sensor, t.severity, t.severity),
                *(t.metric, t.value, t.threshold, t.observed_at, t.observed_at),
            ],
        )
    elif t.kind == "changed":
        conn.execute(
            "UPDATE episodes SET severity = %s, peak_severity = least(peak_severity, %s),"
            " value = %s, threshold = %s, changed_at = %s WHERE id = %s AND cleared_at IS NULL",
            [t.severity, t.severity, t.value, t.threshold, t.observed_at, t.episode],
        )
    else:
        conn.execute(
            "UPDATE episodes SET status = 'cleared', cleared_at = %s, changed_at = %s,"
            " cleared_recorded_at = clock_timestamp() WHERE id = %s AND cleared_at IS NULL",
            [t.observed_at, t.observed_at, t.episode],
        )


def _enqueue(conn: Connection, t: Transition) -> None:
    stream = streams().get(t.stream)
    domain = stream.domain if stream else ""
    peak = "SELECT least(peak_severity, %s) FROM episodes WHERE id = %s"
    row = conn.execute(peak, [t.severity, t.episode]).fetchone()
    worst = row[0] if row else t.severity
    found = conn.execute(
        "SELECT id FROM receivers WHERE enabled AND min_severity >= %s"
        " AND (domains = '{}' OR %s = ANY(domains))",
        [worst, domain],
    ).fetchall()
    body = webhook_body(t) if found else ""
    for (receiver,) in found:
        conn.execute(
            "INSERT INTO outbox (id, receiver, episode, transition, kind, body)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [webhook_id(receiver, t.id), receiver, t.episode, t.id, t.kind, body],
        )


def webhook_id(receiver: int, transition: str) -> str:
    """Return the id that every attempt to tell this receiver of this transition carries."""
    return "msg_" + hashlib.sha256(f"{receiver}|{transition}".encode()).hexdigest()[:27]


def keep_dead_letter(conn: Connection, record: ConsumerRecord, code: str, reason: str) -> None:
    """Keep a record's bytes as a dead letter; a replay adds nothing."""
    conn.execute(
        "INSERT INTO dead_letters (id, at, stream, stage, code, reason, payload, topic, partition,"
        ' "offset") VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING',
        [
            f"{record.topic}/{record.partition}/{record.offset}",
            *(datetime.now(UTC), "", "processing", code, reason, record.value),
            *(record.topic, record.partition, record.offset),
        ],
    )


def run_engine(settings: Settings, vitals: Vitals, stop: threading.Event) -> None:
    """Run the alerts engine until ``stop``."""
    topics = [transitions_topic(settings.topic_prefix)]
    ExactConsumer(NAME, topics, Engine(), settings, vitals).run(stop, POLL_MS)


def _count(kinds: list[str], repeats: int) -> None:
    for kind in kinds:
        APPLIED.labels(kind).inc()
    REPEATED.inc(repeats)
