"""What a reading costs as the city grows: the same readings spread over more and more sensors.

``python -m benchmarks growth`` prints CPU per million readings of worker engine, sink and database,
bytes of state per sensor and metric, and the size and time of a checkpoint.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import lz4.frame
import psycopg

from benchmarks.measure import cpu_seconds
from benchmarks.records import STREAM, batches, declared
from benchmarks.stand import Place, Stand, open_place
from catalog.frames import encode, frame_headers
from catalog.topics import readings_topic
from ingest.producer import split_by_shard
from storage.sink import Sink
from streams.checkpoint import save
from streams.desk import Desk

READINGS = 1_200_000
SIZES = (1_000, 10_000, 100_000)
RATE = 20_000
"""A second: the readings are those of a minute, so that each sensor begins one window in them."""
RECORDS = 16
"""Records of one transaction: 20 000 readings, a second's worth."""


def run(stand: Stand, share: float) -> list[dict[str, Any]]:
    """Measure every size of city."""
    found = []
    for sensors in SIZES:
        with open_place(stand) as place:
            found.append(_measure(stand, place, sensors, round(READINGS * share)))
            print(json.dumps(found[-1]), flush=True)
    return found


def _measure(stand: Stand, place: Place, sensors: int, readings: int) -> dict[str, Any]:
    # every sensor is heard once before anything is timed
    warm = max(sensors, readings // 4)
    records = _records(place.prefix, warm + readings, sensors)
    cut = next(n for n, record in enumerate(records) if record.first >= warm)
    return {
        "sensors": sensors,
        "readings": readings,
        **_engine(place, records, cut, readings, sensors),
        **_sink(stand, place, records, cut, readings),
    }


def _records(prefix: str, total: int, sensors: int) -> list[Any]:
    """Return frames as a consumer would hand them over, in real time at ``RATE`` a second."""
    headers, topic = frame_headers(declared(), "bench", datetime.now(UTC)), ""
    topic, made, first = readings_topic(prefix, STREAM), [], 0
    start = datetime.now(UTC) - timedelta(days=1)
    for batch in batches(total, sensors, start, spacing_us=1_000_000 * sensors // RATE):
        for shard, part in split_by_shard(batch):
            place = {"topic": topic, "partition": shard, "offset": len(made)}
            made.append(SimpleNamespace(**place, value=encode(part), headers=headers, first=first))
        first += batch.num_rows
    return made


def _engine(
    place: Place, records: list[Any], cut: int, readings: int, sensors: int
) -> dict[str, Any]:
    now, desk = datetime.now(UTC), Desk(place.prefix)
    topic = readings_topic(place.prefix, STREAM)
    desk.lay_out({(topic, shard): 0 for shard in range(4)}, {})

    def work(some: list[Any]) -> None:
        for r in some:
            desk.handle((r.topic, r.partition), r.offset, r.value, r.headers, now)
            desk.outbox.clear()

    work(records[:cut])
    desk.checkpoints(0)
    begun = time.process_time()
    work(records[cut:])
    cpu = time.process_time() - begun
    whole = [bench.engine.snapshot() for bench in desk.benches.values()]
    state = sum(len(part) for parts in whole for part in parts.values())
    begun, cpu_before = time.monotonic(), time.process_time()
    taken = desk.checkpoints(0)
    blocked = time.monotonic() - begun
    written = save(place.dsn, "bench", taken)
    return {
        "engine_cpu_s_per_million": round(cpu / readings * 1e6, 2),
        "state_bytes_per_sensor_and_metric": round(state / sensors / len(declared().metrics)),
        "state_mb": round(state / 2**20, 1),
        "state_packed_mb": round(_packed(whole) / 2**20, 1),
        "checkpoint_written_mb": round(written / 2**20, 2),
        "checkpoint_blocks_ms": round(blocked * 1000, 1),
        "checkpoint_takes_ms": round((time.monotonic() - begun) * 1000, 1),
        "checkpoint_cpu_ms": round((time.process_time() - cpu_before) * 1000, 1),
    }


def _packed(whole: list[dict[str, bytes]]) -> int:
    return sum(len(lz4.frame.compress(part)) for parts in whole for part in parts.values())


def _sink(
    stand: Stand, place: Place, records: list[Any], cut: int, readings: int
) -> dict[str, Any]:
    sink = Sink(place.prefix)
    with psycopg.connect(place.dsn, autocommit=True) as conn:

        def store(some: list[Any]) -> None:
            for begin in range(0, len(some), RECORDS):
                with conn.transaction():
                    stored = sink.store(conn, sink.prepare(some[begin : begin + RECORDS]))
                stored.committed()

        store(records[:cut])
        own, database = time.process_time(), cpu_seconds(stand.servers.database.pid)
        store(records[cut:])
    return {
        "sink_cpu_s_per_million": round((time.process_time() - own) / readings * 1e6, 2),
        "database_cpu_s_per_million": round(
            (cpu_seconds(stand.servers.database.pid) - database) / readings * 1e6, 2
        ),
    }
