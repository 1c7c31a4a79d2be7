"""The process of facts: one thread stores, the other closes minutes and sends them."""

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any

import psycopg
from kafka.errors import KafkaError
from kafka.structs import TopicPartition
from psycopg import Connection

from catalog.errors import CityOpsError
from catalog.registry import facts
from catalog.sensors import sensors_of
from catalog.topics import PARTITIONS
from service.kafka import abandon, consumer, producer
from service.log import logger
from service.postgres import connect, now_of
from service.process import EXIT_STALLED
from service.settings import Settings
from service.vitals import Vitals
from storage.exact import ExactConsumer
from storage.facts.minutes import add_up, close, drop_old, take_turn
from storage.facts.publish import publish
from storage.facts.store import FactStore

NAME = "facts"
TURN_S = 1.0
RETRY_S = 1.0
DROP_EVERY_S = 3600.0
STALL_S = 90.0
"""A round is several statements, each of which may take 30 s."""

Ends = Mapping[tuple[str, int], int]


class Minutes:
    """Closes, adds up and sends, while this is the only session that does."""

    def __init__(self, settings: Settings, vitals: Vitals, topics: list[str]) -> None:
        self._settings, self._vitals = settings, vitals
        self._parts = [TopicPartition(topic, p) for topic in topics for p in range(PARTITIONS)]
        self._asked: tuple[datetime, Ends] | None = None
        self._drop_due = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop``; errors of broker or database are waited out."""
        try:
            while not stop.is_set():
                self._vitals.loop_turned()
                try:
                    self._connected(stop)
                except (psycopg.Error, KafkaError, CityOpsError) as error:
                    logger().warning("minutes wait", reason=str(error)[:300])
                    self._asked = None
                    stop.wait(RETRY_S)
        except Exception as error:
            logger().exception("minutes ended, leaving for a restart", reason=repr(error)[:300])
            os._exit(EXIT_STALLED)

    def _connected(self, stop: threading.Event) -> None:
        kafka = self._settings.kafka
        reader = consumer(kafka, NAME, "", group_id=None)
        sender = producer(kafka, NAME)
        try:
            with connect(self._settings.database(), NAME, autocommit=True) as conn:
                while not stop.is_set():
                    self._vitals.loop_turned()
                    if take_turn(conn):
                        self._turn(conn, reader, sender)
                    stop.wait(TURN_S)
        finally:
            abandon(sender)
            reader.close()

    def _turn(self, conn: Connection, reader: Any, sender: Any) -> None:
        if (sure := self._sure(conn, reader)) is not None:
            for fact in facts().values():
                things = [sensor.id for sensor in sensors_of(fact.stream)]
                with conn.transaction():
                    until = close(conn, fact, sure, things)
                more = True
                while more:
                    self._vitals.loop_turned()
                    with conn.transaction():
                        more = add_up(conn, fact, until)[0] > 0
            self._vitals.detail(minutes_sure_until=sure.isoformat(timespec="seconds"))
        while publish(conn, sender, self._settings.topic_prefix):
            self._vitals.loop_turned()
        if monotonic() >= self._drop_due:
            for fact in facts().values():
                drop_old(conn, fact, now_of(conn))
            self._drop_due = monotonic() + DROP_EVERY_S

    def _sure(self, conn: Connection, reader: Any) -> datetime | None:
        """Return until when all that was accepted is stored; None while it is not known anew.

        The time is asked before the ends of the log, the ends before what is stored.
        """
        if self._asked is None:
            now = now_of(conn)
            ends = reader.end_offsets(self._parts)
            self._asked = now, {(p.topic, p.partition): end for p, end in ends.items()}
        stored = {
            (topic, partition): offset
            for topic, partition, offset in conn.execute(
                "SELECT topic, partition, next_offset FROM consumer_offsets WHERE consumer = %s",
                [NAME],
            )
        }
        at, wanted = self._asked
        if any(stored.get(place, 0) < end for place, end in wanted.items()):
            return None
        self._asked = None
        return at


def run_facts(settings: Settings, vitals: Vitals, stop: threading.Event) -> None:
    """Store facts and tell of their minutes until ``stop``."""
    store = FactStore(settings.topic_prefix)
    if not store.topics:
        vitals.ready()
        stop.wait()
        return
    minutes = Minutes(settings, vitals, list(store.topics))
    threading.Thread(target=minutes.run, args=(stop,), name="minutes", daemon=True).start()
    ExactConsumer(NAME, list(store.topics), store, settings, vitals).run(stop)
