"""Processes that fill the topics: frames as the platform's own producer sends them, or JSON.

``python -m benchmarks.producers frames|paced|json …`` makes its readings first, prints ``ready``,
waits for a line on standard input, sends, and prints one line of JSON when all is acknowledged.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from benchmarks.records import SENSORS, START, batches, declared, json_messages, probe

IN_FLIGHT = 24
PROBE_EVERY_S = 0.05
STEP_S = 0.02
DEADLINE_S = 120.0


def frames(arguments: argparse.Namespace) -> dict[str, float]:
    """Send readings as frames, as fast as acknowledgements come back."""
    from ingest.producer import FrameProducer
    from service.settings import Settings

    sender = FrameProducer(Settings(), "bench", linger_ms=2)
    begin = datetime.fromtimestamp(arguments.begin, UTC) if arguments.begin else START
    spacing_us = round(arguments.spacing * 1e6)
    made = list(batches(arguments.total, arguments.sensors, begin, spacing_us))
    started, pending, took_ms = _go(), [], []

    def oldest_acked() -> None:
        sent, item = pending.pop(0)
        item.wait(DEADLINE_S)
        took_ms.append((time.time() - sent) * 1000)

    for batch in made:
        pending.append((time.time(), sender.send(declared(), batch, datetime.now(UTC))))
        if len(pending) > IN_FLIGHT:
            oldest_acked()
    while pending:
        oldest_acked()
    ended = time.time()
    sender.close()
    p50, p99 = np.percentile(took_ms, [50, 99])
    acks = {"ack_p50_ms": float(p50), "ack_p99_ms": float(p99)}
    return {"started": started, "acked": ended, "readings": arguments.total} | acks


def paced(arguments: argparse.Namespace) -> dict[str, float]:
    """Send ``rate`` readings a second for ``seconds``; their times go on from ``begin`` or now.

    After ``warm`` seconds there is a probe every 50 ms; ``inf`` = never.
    """
    send, close = _frame_sender() if arguments.format == "frames" else _json_sender(arguments)
    size = max(1, round(arguments.rate * STEP_S))
    begin = datetime.fromtimestamp(arguments.begin or time.time(), UTC)
    spacing_us = round(1e6 * arguments.sensors / arguments.rate)
    total = round(arguments.rate * arguments.seconds) + size
    made = batches(total, arguments.sensors, begin, spacing_us)
    stock = pa.Table.from_batches(list(made)).combine_chunks()
    started, sent, probed = _go(), 0, arguments.warm
    while (passed := time.time() - started) < arguments.seconds:
        if passed >= probed:
            send(probe(int(time.time() * 1e6)))
            probed += PROBE_EVERY_S
        due = round(passed * arguments.rate) - sent
        if due >= size:
            send(stock.slice(sent, due).combine_chunks().to_batches()[0])
            sent += due
        time.sleep(0.002)
    close()
    return {"started": started, "acked": time.time(), "readings": sent}


def as_json(arguments: argparse.Namespace) -> dict[str, float]:
    """Send each reading as one JSON message through librdkafka."""
    from confluent_kafka import Producer  # pyright: ignore[reportMissingImports]

    producer = Producer(_librdkafka(arguments.kafka))
    made = list(json_messages(arguments.total, arguments.sensors))
    started = _go()
    for sensor, value in made:
        while True:
            try:
                producer.produce(arguments.topic, value=value, key=sensor)
                break
            except BufferError:
                producer.poll(0.01)
    producer.flush(DEADLINE_S)
    return {"started": started, "acked": time.time(), "readings": arguments.total}


def _frame_sender():  # noqa: ANN202
    from ingest.producer import FrameProducer
    from service.settings import Settings

    sender = FrameProducer(Settings(), "bench", linger_ms=2)
    return lambda batch: sender.send(declared(), batch, datetime.now(UTC)), sender.close


def _json_sender(arguments: argparse.Namespace):  # noqa: ANN202
    import msgspec
    from confluent_kafka import Producer  # pyright: ignore[reportMissingImports]

    producer = Producer(_librdkafka(arguments.kafka))

    def send(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist():
            row["observed_at"] = row["observed_at"].isoformat()
            producer.produce(arguments.topic, value=msgspec.json.encode(row), key=row["sensor"])
        producer.poll(0)

    return send, lambda: producer.flush(DEADLINE_S)


def _librdkafka(kafka: str) -> dict[str, object]:
    settings: dict[str, object] = {"bootstrap.servers": kafka, "acks": "all"}
    return settings | {
        "enable.idempotence": True,
        "linger.ms": 5,
        "batch.size": 256 * 1024,
        "queue.buffering.max.messages": 200_000,
    }


def _go() -> float:
    print("ready", flush=True)
    sys.stdin.readline()
    return time.time()


def main() -> None:
    """Read the command line and send."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("frames", "paced", "json"))
    parser.add_argument("--kafka", default="")
    parser.add_argument("--topic", default="")
    parser.add_argument("--format", default="frames", choices=("frames", "json"))
    parser.add_argument("--total", type=int, default=0)
    parser.add_argument("--sensors", type=int, default=SENSORS)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=0.0)
    parser.add_argument("--begin", type=float, default=0.0)
    parser.add_argument("--spacing", type=float, default=1.0)
    arguments = parser.parse_args()
    work = {"frames": frames, "paced": paced, "json": as_json}[arguments.kind]
    print(json.dumps(work(arguments)), flush=True)


if __name__ == "__main__":
    main()
