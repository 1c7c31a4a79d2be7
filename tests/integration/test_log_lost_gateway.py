"""A gateway whose broker comes back with another log: 202 means in that log."""

import shutil
from contextlib import closing, suppress

import httpx
import psycopg
import pytest

from catalog.frames import decode
from catalog.registry import stream, streams
from catalog.topics import all_topics, readings_topic, shard_of
from deploy.ports import free_port
from ingest.producer import FrameProducer
from service.kafka import ensure_topics
from service.settings import Settings
from storage.api_keys import add_key
from tests.support.frames import START, noise_batch
from tests.support.servers import OwnServers, Spawner, wait_until
from tests.support.topics import records

SENSOR = "n-1"
BEFORE, OTHERS, AFTER = 5, 10, 12
"""A broker remembers a producer's last five batches: the other's are the numbers 5 to 9, with which
an idempotent gateway would go on."""


@pytest.mark.chaos
def test_what_it_accepts_is_in_the_log_of_the_broker_that_came_back(
    own_servers: OwnServers, dsn: str, spawn: Spawner
) -> None:
    """Red with idempotent clients: the new broker gives the gateway's producer id out again, and
    takes what the gateway sends for repeats of the other client's."""
    kafka, url = own_servers.start_broker(), f"http://127.0.0.1:{free_port()}"
    with psycopg.connect(dsn, autocommit=True) as conn:
        key = add_key(conn, "all", ["ingest:*"])
    spawn("ingest", "gateway", env={"CITYOPS_KAFKA": kafka, "CITYOPS_GATEWAY": url})
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=20) as client:
        for step in range(BEFORE):
            wait_until(lambda step=step: accepted(client, 30.0 + step), 20.0, "a 202")
        assert own_servers.broker is not None
        own_servers.broker.kill9()
        shutil.rmtree(own_servers.folder / "kafka" / "data")
        own_servers.start_broker()
        ensure_topics(kafka, all_topics("city", tuple(streams())))
        with closing(FrameProducer(Settings(kafka=kafka), "other")) as other:
            for step in range(OTHERS):
                other.send(stream("noise"), noise_batch([(SENSOR, step, 60.0)]), START).wait(10.0)
        for step in range(AFTER):
            wait_until(lambda step=step: accepted(client, 40.0 + step), 40.0, "a 202")
    assert levels(kafka) >= {40.0 + step for step in range(AFTER)}, "accepted, and nowhere"


def accepted(client: httpx.Client, level: float) -> bool:
    """Post one reading with a level of its own; tell whether it was accepted."""
    reading = {"sensor": SENSOR, "observed_at": START.isoformat(), "leq_db": level}
    with suppress(httpx.HTTPError):
        answer = client.post("/v1/streams/noise/readings", json={"readings": [reading]})
        return answer.status_code == 202
    return False


def levels(kafka: str) -> set[float]:
    """Return the levels of all readings in the sensor's partition."""
    logged = records(kafka, readings_topic("city", "noise"))
    frames = [
        decode("noise", r.value, r.headers) for r in logged if r.partition == shard_of(SENSOR)
    ]
    return {level for frame in frames for level in frame.batch.column("leq_db").to_pylist()}
