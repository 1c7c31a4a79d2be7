"""Kafka clients (kafka-python) as this process: its login, acks from all, bounded waits."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from zlib import crc32

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, TopicAlreadyExistsError

from catalog.topics import PARTITIONS
from service.kafka_login import login

REQUEST_TIMEOUT_MS = 10_000
DELIVERY_TIMEOUT_MS = 15_000
METADATA_MAX_AGE_MS = 3_000
PATIENCE: Mapping[str, Any] = MappingProxyType(
    # The pauses between attempts double, by default up to 30 s: a broker that is back after ten
    # seconds would be asked again only ten seconds later.
    {"reconnect_backoff_ms": 50, "reconnect_backoff_max_ms": 500, "bootstrap_timeout_ms": 10_000}
)
"""How every client waits for a broker: it asks twice a second, and for 10 s when it is made."""
TOPIC_CONFIG = {"retention.ms": str(7 * 24 * 3600 * 1000), "segment.bytes": str(128 * 2**20)}


def producer(bootstrap: str, process: str, **options: Any) -> KafkaProducer:
    """Return an acks=all producer that keeps the order; a send fails after 15 s at the latest.

    It is not idempotent on purpose. A broker that comes back with another log gives out producer
    ids anew: it takes the batches of a client that outlived the old log for repeats of another
    client's, and acknowledges what it never wrote. A batch that is sent again may lie in the log
    twice instead, and every reader knows a copy by its key. One request at a time keeps the order.
    """
    settings: dict[str, Any] = {
        "bootstrap_servers": bootstrap.split(","),
        "client_id": process,
        "acks": "all",
        "enable_idempotence": False,
        "max_in_flight_requests_per_connection": 1,
        "linger_ms": 5,
        "batch_size": 256 * 1024,
        "max_request_size": 4 * 2**20,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "delivery_timeout_ms": DELIVERY_TIMEOUT_MS,
        "max_block_ms": 5_000,
    }
    return KafkaProducer(**{**settings, **PATIENCE, **login().options(), **options})


def abandon(kafka: KafkaProducer) -> None:
    """End a producer at once: what it has not sent fails, and nothing is waited for.

    ``close`` waits for what cannot be sent, and goes on when it has waited in vain.
    """
    sender: Any = getattr(kafka, "_sender")  # noqa: B009  (no public way)
    sender.force_close()


def consumer(bootstrap: str, process: str, group: str, **options: Any) -> KafkaConsumer:
    """Return a consumer that never commits by itself: offsets belong to the database."""
    settings: dict[str, Any] = {
        "bootstrap_servers": bootstrap.split(","),
        "client_id": process,
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "session_timeout_ms": 10_000,
        "heartbeat_interval_ms": 2_000,
        # a broker answers at once when there is something; this is how often it says "nothing"
        "fetch_max_wait_ms": 250,
        # a backlog goes in large transactions: their fixed costs are paid once for many readings
        "max_partition_fetch_bytes": 4 * 2**20,
        "fetch_max_bytes": 16 * 2**20,
        "max_poll_records": 5_000,
        # partitions that are added, or leaders that move, are known within this time
        "metadata_max_age_ms": METADATA_MAX_AGE_MS,
        "request_timeout_ms": REQUEST_TIMEOUT_MS + 5_000,
    }
    return KafkaConsumer(**{**settings, **PATIENCE, **login().options(), **options})


def admin_client(bootstrap: str) -> KafkaAdminClient:
    """Return a client that makes and describes topics."""
    return KafkaAdminClient(
        bootstrap_servers=bootstrap.split(","),
        client_id="cityops-admin",
        **PATIENCE,
        **login().options(),
    )


def ensure_topics(bootstrap: str, topics: Iterable[str]) -> list[str]:
    """Create the topics that are missing, each with ``PARTITIONS``; return the new ones' names.

    How many brokers keep a copy is the brokers' own ``default.replication.factor``.
    """
    admin: Any = admin_client(bootstrap)
    try:
        missing = sorted(set(topics) - set(admin.list_topics()))
        wanted = {t: {"num_partitions": PARTITIONS, "configs": TOPIC_CONFIG} for t in missing}
        if wanted:
            admin.create_topics(wanted)
        return missing
    except TopicAlreadyExistsError:
        return []
    finally:
        admin.close()


def instance_id(group: str, process: str, topics: Iterable[str]) -> str:
    """Return the name under which a process is a static member of its group.

    A static member that is started again has its partitions at once. With other topics it must be
    another member: the broker gives a known one its old partitions without asking anew, and those
    of a new stream would stay unread. Give topics with their ids where they may be made anew under
    a running member: it is given none while they are away, and would be given none again.
    """
    return f"{group}.{process}.{crc32(''.join(sorted(topics)).encode()):08x}"


def keep_rejoining(kafka: KafkaConsumer) -> None:
    """Let a rejoin that has begun end; call it from ``on_partitions_revoked``.

    kafka-python 3.0.12 forgets a rejoin that began because partitions were added, when the broker's
    answer comes between two polls: the member then fetches nothing for as long as it lives (the
    Java client had the same fault, KAFKA-9815, and the same cure).
    """
    coordinator: Any = getattr(kafka, "_coordinator")  # noqa: B009  (no public way)
    coordinator.request_rejoin()


def notice_takeover(kafka: KafkaConsumer) -> None:
    """Let a member whose name another process has taken be told so; call it before ``poll``.

    kafka-python 3.0.12 keeps a refused heartbeat (``FencedInstanceIdError``) to itself: it ceases
    to beat and reads on. A member that asks to join again is refused aloud.
    """
    coordinator: Any = getattr(kafka, "_coordinator")  # noqa: B009  (no public way)
    with coordinator._lock:
        beats = coordinator._heartbeat_enabled or coordinator.need_rejoin()
        if coordinator.stable() and not beats:
            coordinator.request_rejoin()


def is_reachable(bootstrap: str) -> bool:
    """Tell whether a broker answers within five seconds."""
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap.split(","),
        "request_timeout_ms": 5_000,
        "bootstrap_timeout_ms": 5_000,
    }
    try:
        admin = KafkaAdminClient(**{**PATIENCE, **login().options(), **options})
    except (KafkaError, OSError, ValueError):
        return False
    admin.close()
    return True
