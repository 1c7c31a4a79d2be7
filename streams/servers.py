"""What the worker needs before it can begin: topics and database."""

import threading
from contextlib import closing

from catalog.registry import streams
from catalog.topics import all_topics
from service.kafka import admin_client, ensure_topics
from service.kafka_log import topic_logs
from service.postgres import connect
from service.settings import Settings
from service.vitals import Vitals
from service.waiting import wait_for


def wait_for_servers(settings: Settings, vitals: Vitals, stop: threading.Event) -> list[str]:
    """Return the topics' ids when they and the database are there: both are needed at once."""
    topics = all_topics(settings.topic_prefix, tuple(streams()))

    def ids() -> list[str]:
        ensure_topics(settings.kafka, topics)
        with closing(admin_client(settings.kafka)) as admin:
            return [log.topic for log in topic_logs(admin, topics).values()]

    found = wait_for(f"Kafka at {settings.kafka}", ids, vitals, stop)
    wait_for("PostgreSQL", lambda: connect(settings.database(), "worker").close(), vitals, stop)
    return found or []
