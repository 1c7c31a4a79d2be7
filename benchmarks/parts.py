"""The parts alone: how fast each would be if nothing else were in its way."""

import http.client
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import psycopg
from pgpq import ArrowToPostgresBinaryEncoder

from benchmarks.contenders import DEADLINE_S, Result, Sizes, percentiles
from benchmarks.measure import Cost, Meter, memory_mb
from benchmarks.records import STREAM, batches, declared
from benchmarks.stand import Place, Running, Stand, open_place
from catalog.frames import Headers, encode, frame_headers
from catalog.topics import readings_topic
from deploy.ports import LOOPBACK, free_port
from deploy.wait import wait_until
from ingest.producer import split_by_shard
from storage.api_keys import add_key
from storage.batch import RECEIVED
from storage.tables import readings_table
from streams.checkpoint import Place as Partition
from streams.desk import Desk

REQUEST_READINGS = 1_000
CLIENTS = 4
COPY_ROWS = 20_000


def stages(stand: Stand, sizes: Sizes, sensors: int) -> list[Result]:
    """Fill a topic with the producer alone, then let the sink and the worker empty it in turn."""
    with open_place(stand) as place:
        producer = place.producer("frames", "--total", str(sizes.part), "--sensors", str(sensors))
        with Meter(stand.pids() | {"producer": producer.pid}) as meter:
            producer.go()
            sent = producer.result()
        producer.close()
        took = sent["acked"] - sent["started"]
        filled = Result("producer → Kafka", "part", sizes.part, took, meter.costs)
        filled.latency_ms = {
            "p50": round(sent["ack_p50_ms"], 1),
            "p99": round(sent["ack_p99_ms"], 1),
            "of": "until a batch of 5 000 is acknowledged, 24 under way",
        }
        results = [filled]
        for name, room in (("sink", "storage"), ("worker", "streams")):
            results.append(_drain(stand, place, room, name, sizes.part))
        return results


def _drain(stand: Stand, place: Place, room: str, name: str, total: int) -> Result:
    running = place.start(room, name)
    begun, before = _first_rows(running)
    with Meter(stand.pids() | {name: running.child.pid}) as meter:
        wait_until(lambda: running.rows() >= total, DEADLINE_S, f"{name} alone", 0.02)
        took = time.monotonic() - begun
    running.child.stop()
    words = "Kafka → " + ("sink → database" if name == "sink" else "Faust worker → Kafka")
    return Result(words, "part", total - before, took, meter.costs)


def _first_rows(running: Running) -> tuple[float, int]:
    """Return when the first rows were seen and how many; starting up is not timed."""
    wait_until(lambda: running.rows() > 0, DEADLINE_S, "first rows", 0.005)
    return time.monotonic(), running.rows()


def engine(sizes: Sizes, sensors: int) -> Result:
    """Work off frames in this process: decode, quality, windows, rules, outputs; no Kafka."""
    total = sizes.part
    desk, frames, headers = desk_and_frames(total, sensors)
    cpu, moments, now = time.process_time(), [time.monotonic()], datetime.now(UTC)
    for offset, (place, value) in enumerate(frames):
        desk.handle(place, offset, value, headers, now)
        desk.outbox.clear()
        moments.append(time.monotonic())
    took = moments[-1] - moments[0]
    result = Result("worker engine, no Kafka (one core)", "part", total, took)
    each = [(after - before) * 1000 for before, after in pairwise(moments)]
    result.latency_ms = percentiles(each) | {"of": f"a frame of {total // len(frames):,}"}
    result.costs["engine"] = Cost(time.process_time() - cpu, memory_mb(os.getpid()))
    return result


def desk_and_frames(
    total: int, sensors: int
) -> tuple[Desk, list[tuple[Partition, bytes]], Headers]:
    """Return a worker's desk that knows nothing yet, and the readings as they lie in Kafka."""
    desk, topic = Desk("bench"), readings_topic("bench", STREAM)
    desk.lay_out({(topic, shard): 0 for shard in range(4)}, {})
    frames = [
        ((topic, shard), encode(part))
        for batch in batches(total, sensors)
        for shard, part in split_by_shard(batch)
    ]
    return desk, frames, frame_headers(declared(), "bench", datetime.now(UTC))


def copy_limit(stand: Stand, sizes: Sizes, sensors: int) -> list[Result]:
    """COPY ready-made bytes into the same hypertable, over one connection and over two."""
    results = []
    rows = [
        batch.append_column(RECEIVED, batch.column("observed_at"))
        for batch in batches(sizes.part, sensors)
    ]
    names = ", ".join(rows[0].schema.names)
    group = max(1, COPY_ROWS // rows[0].num_rows)
    parts = [_encoded(rows[i : i + group]) for i in range(0, len(rows), group)]
    for connections in (1, 2):
        with open_place(stand) as place, Meter(stand.pids()) as meter:
            line = f"COPY {readings_table(STREAM)} ({names}) FROM STDIN WITH (FORMAT binary)"
            begun, each = time.monotonic(), list[float]()
            threads = [
                threading.Thread(target=_copy, args=(place.dsn, line, parts[n::connections], each))
                for n in range(connections)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = time.monotonic() - begun
            words = f"database COPY limit, {connections} connection{'s' * (connections > 1)}"
            result = Result(words, "part", sizes.part, took, meter.costs)
            result.latency_ms = percentiles(each) | {"of": f"a transaction of {COPY_ROWS:,}"}
            results.append(result)
    return results


def _encoded(rows: list) -> bytes:
    encoder = ArrowToPostgresBinaryEncoder(rows[0].schema)
    head = encoder.write_header()
    return head + b"".join(encoder.write_batch(part) for part in rows) + encoder.finish()


def _copy(dsn: str, line: str, parts: list[bytes], took_ms: list[float]) -> None:
    with psycopg.connect(dsn) as conn:
        for part in parts:
            begun = time.monotonic()
            with conn.cursor() as cursor, cursor.copy(line.encode()) as copy:
                copy.write(part)
            conn.commit()
            took_ms.append((time.monotonic() - begun) * 1000)


def gateway(stand: Stand, sizes: Sizes, sensors: int) -> Result:
    """Post JSON to the gateway from a few clients; 202 comes after Kafka's acknowledgement."""
    total = max(20_000, sizes.part // 5) // REQUEST_READINGS * REQUEST_READINGS
    with open_place(stand) as place:
        with psycopg.connect(place.dsn, autocommit=True) as conn:
            token = add_key(conn, "bench", ["ingest:*"], None)
        port = free_port()
        running = place.start("ingest", "gateway", CITYOPS_GATEWAY=f"http://{LOOPBACK}:{port}")
        bodies = _bodies(total, sensors)
        first = bodies.pop(0)
        wait_until(lambda: _post(port, token, [first], []) == 202, DEADLINE_S, "gateway", 0.1)
        with Meter(stand.pids() | {"gateway": running.child.pid}) as meter:
            begun, each = time.monotonic(), list[float]()
            threads = [
                threading.Thread(target=_post, args=(port, token, bodies[n::CLIENTS], each))
                for n in range(CLIENTS)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = time.monotonic() - begun
        accepted = running.rows()
        if accepted != len(bodies) * REQUEST_READINGS + REQUEST_READINGS:
            raise RuntimeError(f"the gateway accepted {accepted} of {total}")
        readings = accepted - REQUEST_READINGS
        result = Result("gateway JSON → Kafka", "part", readings, took, meter.costs)
        of = f"a request of {REQUEST_READINGS:,}, {CLIENTS} clients"
        result.latency_ms = percentiles(each) | {"of": of}
        return result


def _bodies(total: int, sensors: int) -> list[bytes]:
    start, bodies = datetime.now(UTC) - timedelta(hours=1), []
    for batch in batches(total, sensors, start):
        rows = batch.to_pylist()
        for row in rows:
            row["observed_at"] = row["observed_at"].isoformat()
        for begin in range(0, len(rows), REQUEST_READINGS):
            bodies.append(msgspec.json.encode({"readings": rows[begin : begin + REQUEST_READINGS]}))
    return bodies


def _post(port: int, token: str, bodies: list[bytes], took_ms: list[float]) -> int:
    """Post bodies one after the other; return the last status, stop at the first refusal."""
    conn = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status = 0
    for body in bodies:
        begun = time.monotonic()
        conn.request("POST", f"/v1/streams/{STREAM}/readings", body, headers)
        answer = conn.getresponse()
        answer.read()
        took_ms.append((time.monotonic() - begun) * 1000)
        status = answer.status
        if status != 202:
            break
    conn.close()
    return status
