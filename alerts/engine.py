"""Transitions → episodes, incidents and outbox, in one transaction with the offsets."""

import threading
from collections.abc import Sequence
from datetime import datetime

from kafka.consumer.fetcher import ConsumerRecord
from prometheus_client import Counter
from psycopg import Connection

from alerts.delivery.links import links_of
from alerts.delivery.outbox import lock_writers
from alerts.episode.episodes import Change, apply
from alerts.routing.notify import Notifier
from alerts.routing.routes import Routes
from alerts.scheduler import keep
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from catalog.contracts import decode_transition
from catalog.frames import FrameError
from catalog.topics import transitions_topic
from service.postgres import now_of
from service.vitals import Vitals
from storage.exact import ExactConsumer, Stored

NAME = "alerts"
POLL_MS = 50

APPLIED = Counter("cityops_alerts_transitions", "Transitions recorded", ["kind"])
LETTERS = Counter("cityops_alerts_dead_letters", "Transitions kept as dead letters", ["code"])
REPEATED = Counter("cityops_alerts_repeats", "Transitions that were recorded before")


class Engine:
    """Keeps episodes: the worker owns their state, people own acknowledgement."""

    def __init__(self, settings: AlertSettings, routes: Routes) -> None:
        self._settings = settings
        self._notifier = Notifier(routes, links_of(settings))

    def prepare(self, records: list[ConsumerRecord]) -> list[ConsumerRecord]:
        """Return the records: a transition is read in no time."""
        return records

    def store(self, conn: Connection, records: list[ConsumerRecord]) -> Stored:
        """Record transitions once each; owe every matching receiver a webhook."""
        changes: list[Change] = []
        newest: datetime | None = None
        letters: list[str] = []
        lock_writers(conn)
        for record in records:
            try:
                transition = decode_transition(record.value)
            except FrameError as error:
                keep_dead_letter(conn, record, error.code, error.reason)
                letters.append(error.code)
                continue
            if change := apply(conn, transition):
                changes.append(change)
            newest = max(newest or transition.observed_at, transition.observed_at)
        repeats = len(records) - len(changes) - len(letters)
        settle(conn, changes, self._notifier, self._settings, now_of(conn))
        return Stored(len(changes), newest, lambda: _count(changes, repeats, letters))

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        """Keep a transition that contradicts what is stored, e.g. a second open episode."""
        keep_dead_letter(conn, record, "database", reason)
        return Stored(0, None, lambda: _count((), 0, ("database",)))


def keep_dead_letter(conn: Connection, record: ConsumerRecord, code: str, reason: str) -> None:
    """Keep a record's bytes as a dead letter; a replay adds nothing."""
    conn.execute(
        "INSERT INTO dead_letters (id, at, stream, stage, code, reason, payload, topic, partition,"
        ' "offset") VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING',
        [
            f"{record.topic}/{record.partition}/{record.offset}",
            *(now_of(conn), "", "processing", code, reason, record.value),
            *(record.topic, record.partition, record.offset),
        ],
    )


def run_engine(
    settings: AlertSettings, routes: Routes, vitals: Vitals, stop: threading.Event
) -> None:
    """Run the alerts engine and its timers until ``stop``."""
    keeper = threading.Thread(
        target=keep, args=(settings, routes, vitals, stop), name="keeper", daemon=True
    )
    keeper.start()
    topics = [transitions_topic(settings.topic_prefix)]
    ExactConsumer(NAME, topics, Engine(settings, routes), settings, vitals).run(stop, POLL_MS)
    keeper.join(timeout=5)


def _count(changes: Sequence[Change], repeats: int, letters: Sequence[str]) -> None:
    for change in changes:
        APPLIED.labels(change.transition.kind).inc()
    REPEATED.inc(repeats)
    for code in letters:
        LETTERS.labels(code).inc()
