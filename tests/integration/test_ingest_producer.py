"""The frame producer and a broker that is away for longer than a batch lives."""

import signal
from contextlib import closing
from pathlib import Path

import pytest

from catalog.errors import TransientError
from catalog.registry import stream, streams
from catalog.topics import all_topics
from deploy.process import Child
from ingest.producer import FrameProducer
from service.kafka import ensure_topics
from service.settings import Settings
from tests.support.frames import START, noise_batch
from tests.support.servers import OwnServers, wait_until


def sends(frames: FrameProducer) -> bool:
    try:
        frames.send(stream("noise"), noise_batch([("n-1", 0, 50.0)]), START).wait(1.0)
    except TransientError:
        return False
    return True


def frozen(broker: Child | None) -> Child:
    assert broker is not None
    broker.signal_group(signal.SIGSTOP)
    # one of its threads takes the signal and stops the others: on a busy machine a moment later
    wait_until(lambda: states(broker.pid) == {"T"}, 5.0, "every thread of the broker stands")
    return broker


def states(pid: int) -> set[str]:
    """Return the states of a process's threads, as ``/proc`` names them."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {(task / "stat").read_text().rpartition(") ")[2][0] for task in tasks}


@pytest.mark.chaos
def test_a_producer_outlives_a_batch_that_expired_after_it_was_sent(
    own_servers: OwnServers,
) -> None:
    """Red with an idempotent client of kafka-python 3.0.12: it asks for no new producer id."""
    settings = Settings(kafka=own_servers.start_broker())
    ensure_topics(settings.kafka, all_topics("city", tuple(streams())))
    impatient = {"request_timeout_ms": 1_000, "delivery_timeout_ms": 2_500}
    with closing(FrameProducer(settings, "test", **impatient)) as frames:
        wait_until(lambda: sends(frames), 15.0, "a first acknowledgement")
        broker = frozen(own_servers.broker)
        for _ in range(3):  # sent, not answered, sent again, expired
            assert not sends(frames)
        broker.signal_group(signal.SIGCONT)
        wait_until(lambda: sends(frames), 15.0, "an acknowledgement")
