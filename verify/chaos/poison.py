"""Poison: what no device should send. On the topic it becomes dead letters, over HTTP a refusal."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from catalog.errors import TransientError
from catalog.frames import encode, frame_headers, readings_schema
from catalog.model import Stream
from catalog.topics import readings_topic, shard_of
from ingest.producer import FrameProducer
from service.settings import Settings

GARBAGE = (b"", b"no frame", b"\xff" * 400)
FAR = datetime(2400, 1, 1, tzinfo=UTC)
HUGE = 2 * 2**20 + 1
ACK_S = 2.0

BODIES = (
    b"",
    b"[" * 20_000,
    b'{"readings": [{"sensor": "\xc3\x28"}]}',
    b'{"readings": [{"sensor": "p-1", "observed_at": "%s", "%s": NaN}]}',
    b'{"readings": [{"sensor": "p-1", "observed_at": "%s", "%s": 1e999}]}',
    b'{"readings": [{"sensor": "p-1", "observed_at": "%s", "%s": "deep"}]}',
    b'{"readings": [{"sensor": 7, "observed_at": "%s", "%s": 1}]}',
    b'{"readings": [{"sensor": "p-1"}]}',
    b" " * HUGE,
)
"""Nothing, deep nesting, bad UTF-8, not a number, too large a number, wrong types, a missing field,
and more than a body may hold."""


def body(stream: Stream, dice: random.Random, at: datetime) -> bytes:
    """Return the body of a request that must be refused."""
    chosen = dice.choice(BODIES)
    if b"%s" not in chosen:
        return chosen
    return chosen % (at.isoformat().encode(), stream.metric_names[0].encode())


class Poisoner:
    """Puts poison straight on the topics, in the shard of a sound reading that comes with it."""

    def __init__(self, kafka: str, prefix: str) -> None:
        settings = Settings(kafka=kafka, topic_prefix=prefix)
        self._prefix = prefix
        self._producer = FrameProducer(settings, "chaos")

    def put(self, stream: Stream, dice: random.Random, at: datetime) -> dict[str, Any] | None:
        """Put one record on the stream's topic; return the sound reading in it, if it has one."""
        mate: dict[str, Any] | None = None
        value = dice.choice(GARBAGE)
        if dice.random() < 0.5:
            mate = {"sensor": f"mate-{stream.name}", "observed_at": at.isoformat()}
            mate |= dict.fromkeys(stream.metric_names, 50.0 if stream.name == "noise" else 0.01)
            value = encode(_mixed(stream, mate["sensor"], at, dice))
        shard = shard_of(mate["sensor"]) if mate else dice.randrange(4)
        headers = frame_headers(stream, "chaos", datetime.now(UTC))
        topic = readings_topic(self._prefix, stream.name)
        # without an acknowledgement it may be on the topic or not: the judge reads the log
        with suppress(TransientError):
            self._producer.send_raw(topic, shard, value, headers).wait(ACK_S)
        return mate

    def close(self) -> None:
        """End the producer."""
        self._producer.close()


def _mixed(stream: Stream, mate: str, at: datetime, dice: random.Random) -> pa.RecordBatch:
    """Return a frame of one sound reading and one that breaks the contract."""
    level = 50.0 if stream.name == "noise" else 0.01
    bad = ((float("nan"), "p-1", at), (float("-inf"), "p-1", at), (level, "a b", at))
    bad_level, bad_name, bad_at = dice.choice((*bad, (level, "p-1", FAR)))
    columns: dict[str, list[Any]] = {
        "sensor": [mate, bad_name],
        "observed_at": [at, bad_at + timedelta(seconds=1)],
    }
    columns |= {name: [level, bad_level] for name in stream.metric_names}
    return pa.RecordBatch.from_pydict(columns, schema=readings_schema(stream))
