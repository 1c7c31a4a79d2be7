"""Keep the worker to the log of Kafka that its checkpoints belong to."""

from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaAdminClient

from service.kafka import admin_client
from service.kafka_log import LogId, Look, Mark, Place, examine, reason, topic_logs
from service.log_breaks import note_breaks
from service.postgres import connect
from service.settings import Settings
from streams.checkpoint import Checkpoint, load


class SameLog:
    """Compares checkpoints with the log; everything here blocks and belongs into a thread.

    ``reason`` says what is wrong with partitions that are left alone.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._admin: KafkaAdminClient | None = None
        self._connections: dict[Any, Any] = {}
        self._left: list[Place] = []
        self.reason = ""

    def begin(self, places: Iterable[Place]) -> tuple[Look, dict[Place, Checkpoint]]:
        """Return what the log is and the checkpoints of these partitions; says what is wrong."""
        look, stored = self._look(list(places))
        self._left = look.stopped()
        self.reason = reason(look.breaks.values())
        return look, stored

    def is_decided(self) -> bool:
        """Tell whether a partition that is left alone may be gone on with: a person has begun with
        the new log, or the old one is back."""
        return bool(self._left) and len(self._look(self._left)[0].stopped()) < len(self._left)

    def holds(self, marks: Mapping[Place, Mark], connections: Mapping[Any, Any]) -> bool:
        """Tell whether the log still is the one that was worked off: by its ids, and when a
        connection was made anew by the last records too, for a broker may have been restored."""
        before, self._connections = self._connections, {**self._connections, **connections}
        if any(node in before and before[node] is not made for node, made in connections.items()):
            return not examine(self._settings.kafka, self._name, marks).stopped()
        logs = self._logs({topic for topic, _ in marks})
        return all(logs.get(topic) == mark.log for (topic, _), mark in marks.items())

    def _look(self, places: list[Place]) -> tuple[Look, dict[Place, Checkpoint]]:
        dsn = self._settings.database()
        stored = load(dsn, self._name, places)
        marks = {place: stored[place].mark() if place in stored else Mark(0) for place in places}
        look = examine(self._settings.kafka, self._name, marks)
        with connect(dsn, self._name) as conn:
            note_breaks(conn, self._name, look, places)
        return look, stored

    def _logs(self, topics: set[str]) -> dict[str, LogId]:
        if self._admin is None:
            self._admin = admin_client(self._settings.kafka)
        return topic_logs(self._admin, topics)
