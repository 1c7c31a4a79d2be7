"""Who may do what on our own broker, as data: one line a process (the database: storage/roles.py).

A process without a line has no login. A new room adds a line; nothing else names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from storage.roles import ROLES


@dataclass(frozen=True, slots=True)
class KafkaRights:
    """What a user may read and write, by the beginning of the topic's name after the prefix.

    `group` is the rest of its consumer group's name. Whoever has a line may also see and make the
    platform's topics.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    group: str = ""


READINGS, AGGREGATES, FLAGS, FACTS = "readings.", "aggregates.", "flags.", "facts."
TRANSITIONS, LETTERS = "transitions.", "dead-letters."
EVERYTHING = (READINGS, AGGREGATES, FLAGS, TRANSITIONS, LETTERS, FACTS)

SHELL = "shell"
"""The user of `make env`, of the commands of `deploy`, and of whoever may read its files."""

KAFKA: Mapping[str, KafkaRights] = MappingProxyType(
    {
        "gateway": KafkaRights(writes=(READINGS, LETTERS, FACTS)),
        "sink": KafkaRights(reads=(READINGS, AGGREGATES, FLAGS, LETTERS), group=".sink"),
        "facts": KafkaRights(reads=(FACTS,), writes=(READINGS, AGGREGATES), group=".facts"),
        "worker": KafkaRights(
            reads=(READINGS,),
            # ticks lie among the readings
            writes=(READINGS, AGGREGATES, FLAGS, TRANSITIONS, LETTERS),
            group=".worker",
        ),
        "alerts-engine": KafkaRights(reads=(READINGS, TRANSITIONS), group=".alerts"),
        "city": KafkaRights(writes=(READINGS, FACTS)),
        SHELL: KafkaRights(reads=EVERYTHING, writes=EVERYTHING, group="-tap"),
    }
)
ADMIN, BROKER = "admin", "broker"
"""Kafka's own two: who makes the others, and who its nodes are to each other."""
CONTAINER_SETTINGS = "kafka.properties"
"""The file with the settings of a broker in a container, passwords of these two included."""


def kafka_secret(user: str) -> str:
    """Return the name of the file with a Kafka user's password."""
    return f"kafka-{user}"


def database_secret(process: str) -> str:
    """Return the name of the file with the password of a process's database role."""
    return f"db-{process}"


def secret_files() -> frozenset[str]:
    """Return the names of all files of passwords to our own servers."""
    kafka = map(kafka_secret, (*KAFKA, ADMIN, BROKER))
    return frozenset([*kafka, *map(database_secret, ROLES), CONTAINER_SETTINGS])
