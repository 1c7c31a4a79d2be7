"""The fixtures themselves: each gives a real server and leaves nothing behind."""

from __future__ import annotations

import psycopg
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from tests.support.databases import Databases
from tests.support.servers import OwnServers
from tests.support.topics import delete_topics


def test_a_fresh_database_has_timescale_and_is_dropped(databases: Databases) -> None:
    with databases.fresh(migrated=False) as dsn, psycopg.connect(dsn) as connection:
        name = connection.info.dbname
        rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
        assert ("timescaledb",) in rows
    with psycopg.connect(databases.server) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        assert found.fetchone() is None


def test_two_databases_share_nothing(databases: Databases) -> None:
    with (
        databases.fresh(migrated=False) as first,
        databases.fresh(migrated=False) as second,
        psycopg.connect(first, autocommit=True) as one,
        psycopg.connect(second, autocommit=True) as two,
    ):
        one.execute("CREATE TABLE only_here (n int)")
        assert two.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_topics_of_a_prefix_are_deleted(kafka: str, topic_prefix: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    topic = f"{topic_prefix}.x"
    admin.create_topics([NewTopic(topic, 1, 1)])
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    producer.send(topic, b"hello").get(timeout=10)
    producer.close()
    delete_topics(kafka, topic_prefix)
    assert topic not in admin.list_topics()
    admin.close()


def test_own_servers_keep_data_and_port_over_a_kill(own_servers: OwnServers) -> None:
    bootstrap = own_servers.start_broker()
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic("kept", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    producer.send("kept", b"hello").get(timeout=10)
    producer.close()
    assert own_servers.broker is not None
    own_servers.broker.kill9()
    assert own_servers.start_broker() == bootstrap
    consumer = KafkaConsumer(
        "kept", bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    batch = consumer.poll(timeout_ms=10_000)
    consumer.close()
    assert [record.value for records in batch.values() for record in records] == [b"hello"]
