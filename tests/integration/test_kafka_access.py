"""Who may do what on the platform's own broker: nobody without a name, each its part alone."""

import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import TopicAuthorizationFailedError
from kafka.structs import TopicPartition

from catalog.registry import streams
from catalog.topics import all_topics, readings_topic, transitions_topic
from deploy import kafka_access
from deploy.native import kafka as kafka_server
from deploy.native.kafka import BRIEF
from deploy.rights import KAFKA
from service.kafka import consumer, ensure_topics, is_reachable, producer
from service.kafka_login import Login
from tests.support.servers import native_folder

READINGS, TRANSITIONS = readings_topic("city", "noise"), transitions_topic("city")


@dataclass(frozen=True)
class Broker:
    """A running broker with its doors shut, and the folder of its passwords."""

    at: str
    secrets: Path

    def login(self, user: str) -> Login:
        return Login.of(kafka_access.environment(user, self.secrets))


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with native_folder() as folder:
        secrets = folder / "secrets"
        at, child = kafka_access.start_closed(folder / "kafka", secrets, BRIEF)
        try:
            yield Broker(at, secrets)
        finally:
            child.stop()


Become = Callable[[str], None]


@pytest.fixture
def become(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Make this process a user of the broker, which has all topics."""

    def become(user: str) -> None:
        for name, value in kafka_access.environment(user, broker.secrets).items():
            monkeypatch.setenv(name, value)

    become("shell")
    ensure_topics(broker.at, all_topics("city", tuple(streams())))
    return become


def send(broker: Broker, topic: str) -> None:
    sender: KafkaProducer = producer(broker.at, "test", delivery_timeout_ms=11_000)
    try:
        sender.send(topic, b"x", partition=0).get(timeout=20)
    finally:
        sender.close(timeout=0)


def read(broker: Broker, topic: str) -> int:
    """Return how many records of a topic's first partition are given to us."""
    reader: KafkaConsumer = consumer(broker.at, "test", "", group_id=None)
    with closing(reader):
        part = TopicPartition(topic, 0)
        reader.assign([part])
        reader.seek(part, 0)
        return sum(len(found) for found in reader.poll(timeout_ms=5_000).values())


def test_nobody_is_let_in_without_a_name_or_with_a_wrong_password(broker: Broker) -> None:
    sound = broker.login("sink")
    assert kafka_server.ready(broker.at, sound)
    assert not kafka_server.ready(broker.at)
    assert not kafka_server.ready(broker.at, replace(sound, password="guess"))
    assert not kafka_server.ready(broker.at, replace(sound, user="nobody"))
    # what the broker's settings know by PLAIN does not open the door of others
    assert not kafka_server.ready(broker.at, replace(sound, mechanism="PLAIN"))


def test_this_process_is_whom_its_environment_names(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_reachable(broker.at)
    monkeypatch.setenv("CITYOPS_KAFKA_USER", "sink")
    monkeypatch.setenv("CITYOPS_KAFKA_PASSWORD", broker.login("sink").password)
    assert is_reachable(broker.at)
    with pytest.raises(ValueError, match="CITYOPS_KAFKA_MECHANISM is one of"):
        Login.of({"CITYOPS_KAFKA_USER": "sink", "CITYOPS_KAFKA_MECHANISM": "SCRAM"})


@pytest.mark.parametrize(
    ("user", "own", "foreign"),
    [
        ("gateway", READINGS, TRANSITIONS),
        ("city", READINGS, TRANSITIONS),
        ("worker", TRANSITIONS, None),
        ("sink", None, READINGS),
        ("alerts-engine", None, TRANSITIONS),
    ],
)
def test_a_process_writes_its_own_topics_alone(
    broker: Broker, become: Become, user: str, own: str | None, foreign: str | None
) -> None:
    become(user)
    if own:
        send(broker, own)
    if foreign:
        with pytest.raises(TopicAuthorizationFailedError):
            send(broker, foreign)


def test_a_process_reads_its_own_topics_alone(broker: Broker, become: Become) -> None:
    for topic in (READINGS, TRANSITIONS):
        send(broker, topic)
    become("alerts-engine")
    assert read(broker, TRANSITIONS) > 0
    become("gateway")
    with pytest.raises(TopicAuthorizationFailedError):
        read(broker, READINGS)


def test_rights_that_are_taken_out_of_the_table_are_taken_away(
    broker: Broker, become: Become
) -> None:
    become("city")
    send(broker, READINGS)
    less = {name: replace(right, writes=()) for name, right in KAFKA.items()}
    kafka_access.grant(broker.at, broker.secrets, less)
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            send(broker, READINGS)
    finally:
        kafka_access.grant(broker.at, broker.secrets)
    send(broker, READINGS)


def test_passwords_and_the_log_are_for_their_owner_alone(broker: Broker) -> None:
    log = broker.secrets.parent / "kafka"
    assert {mode(file) for file in broker.secrets.iterdir()} == {0o600}
    assert (mode(log), mode(log / "server.properties")) == (0o700, 0o600)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
