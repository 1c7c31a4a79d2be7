"""Each contender end to end: producer, Kafka, its own processes, rows in TimescaleDB."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import psycopg

from benchmarks.measure import Cost, Meter
from benchmarks.records import PROBE, STREAM
from benchmarks.stand import Place, Stand, metrics_argument, open_place
from catalog.topics import readings_topic
from deploy.process import Child
from deploy.wait import wait_until
from storage.tables import readings_table

DEADLINE_S = 150.0
WATCH_S = 0.003
SETTLE_S = 5.0
WARM_S = 3.0
"""Of load before the first probe."""


@dataclass(slots=True)
class Result:
    """What one run gave; latency in ms from a reading's time to its row being visible, of a part
    the duration of what ``of`` says."""

    name: str
    kind: str
    readings: int
    seconds: float
    costs: dict[str, Cost] = field(default_factory=dict)
    latency_ms: dict[str, float | str] = field(default_factory=dict)
    rounds_per_s: list[int] = field(default_factory=list)
    """Readings a second of all rounds, of which this is the middle one."""

    @property
    def per_s(self) -> float:
        """Return readings a second."""
        return self.readings / self.seconds if self.seconds else 0.0


def middle_ones(results: list[Result]) -> list[Result]:
    """Return of each name the result of median speed (the slower of two)."""
    found = []
    for name in dict.fromkeys(result.name for result in results):
        rounds = [result for result in results if result.name == name]
        ordered = sorted(rounds, key=lambda result: result.per_s)
        middle = ordered[(len(ordered) - 1) // 2]
        middle.rounds_per_s = [round(result.per_s) for result in rounds]
        found.append(middle)
    return found


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much each run handles."""

    cityops: int
    bare: int
    slow: int
    part: int
    latency_s: float

    @classmethod
    def of(cls, share: float) -> "Sizes":
        """Return sizes; share 1 is the whole bench, smaller ones are for trying."""

        def scaled(readings: int) -> int:
            return max(20_000, round(readings * share))

        big = scaled(1_000_000)
        return cls(big, big, scaled(60_000), scaled(600_000), max(2.0, 4.0 * share))


def cityops(stand: Stand, sizes: Sizes, sensors: int) -> Result:
    """Run the platform: frames, sink and worker side by side, everything stored and judged."""
    with open_place(stand) as place:
        sink, worker = place.start("storage", "sink"), place.start("streams", "worker")
        table = readings_table(STREAM)
        pids = stand.pids() | {"sink": sink.child.pid, "worker": worker.child.pid}
        total = sizes.cityops

        def done() -> bool:
            return sink.rows() >= total and worker.rows() >= total

        options = ("frames", "--total", str(total), "--sensors", str(sensors))
        result = _throughput(place, "cityops", table, total, options, pids, done)
    with open_place(stand) as place:
        place.start("storage", "sink")
        place.start("streams", "worker")
        result.latency_ms = latency(place, table, "frames", sensors, sizes.latency_s, result.per_s)
        return result


def bare(stand: Stand, sizes: Sizes, sensors: int) -> Result:
    """Run confluent-kafka to COPY on the same frames."""
    with open_place(stand) as place:
        table, topic = place.table("bare"), readings_topic(place.prefix, STREAM)
        arguments = ("--kafka", stand.servers.bootstrap, "--topic", topic, "--dsn", place.dsn)
        more = ("--table", table, "--total", str(sizes.bare))
        child = place.peer("bare", *arguments, *more, own_python=True)
        options = ("frames", "--total", str(sizes.bare), "--sensors", str(sensors))
        pids = stand.pids() | {"bare": child.pid}
        result = _throughput(
            place, "bare confluent-kafka → COPY", table, sizes.bare, options, pids,
            lambda: not child.running(),
        )  # fmt: skip
    with open_place(stand) as place:
        table, topic = place.table("bare"), readings_topic(place.prefix, STREAM)
        arguments = ("--kafka", stand.servers.bootstrap, "--topic", topic, "--dsn", place.dsn)
        place.peer("bare", *arguments, "--table", table, "--total", str(10**9), own_python=True)
        result.latency_ms = latency(place, table, "frames", sensors, sizes.latency_s, result.per_s)
        return result


def faust_stock(stand: Stand, sizes: Sizes, sensors: int) -> Result:
    """Run stock Faust, tuned, with psycopg executemany."""
    extra = ("--metrics", metrics_argument())
    return _json_peer(stand, sizes, sensors, "stock Faust → executemany", "faust_stock", extra)


def faust_plain(stand: Stand, sizes: Sizes, sensors: int) -> Result:
    """Run Faust as its guide begins: message by message, small batches, defaults."""
    extra, name = ("--plain", "--metrics", metrics_argument()), "Faust by its guide → executemany"
    return _json_peer(stand, sizes, sensors, name, "faust_stock", extra)


def quix(stand: Stand, sizes: Sizes, sensors: int) -> Result:
    """Run Quix Streams with its PostgreSQL sink."""
    return _json_peer(stand, sizes, sensors, "Quix Streams → its PostgreSQL sink", "quix", ())


def _json_peer(
    stand: Stand, sizes: Sizes, sensors: int, name: str, script: str, extra: tuple[str, ...]
) -> Result:
    with open_place(stand) as place:
        table, topic = place.table(script), place.topic("json")
        kafka = ("--kafka", stand.servers.bootstrap, "--topic", topic)
        more = ("--dsn", place.dsn, "--table", table, *extra)
        child = place.peer(script, *kafka, *more, own_python=script == "quix")
        _warm(place, child, table, kafka)
        total, before = sizes.slow, place.count(table)
        options = ("json", *kafka, "--total", str(total), "--sensors", str(sensors))
        pids = stand.pids() | {script: child.pid}
        result = _throughput(
            place, name, table, total, options, pids,
            lambda: child.ensure_running() and place.count(table) >= total + before,
            every_s=0.2, before=before,
        )  # fmt: skip
        paced = ("json", *kafka)
        result.latency_ms = latency(place, table, paced, sensors, sizes.latency_s, result.per_s)
        return result


def _warm(place: Place, child: Child, table: str, kafka: tuple[str, ...]) -> None:
    """Send probes until the first is stored: the start of a peer is not timed."""
    ends = time.monotonic() + DEADLINE_S
    while not place.count(table):
        child.ensure_running()
        if time.monotonic() > ends:
            raise RuntimeError(f"{table} stored nothing in {DEADLINE_S} s")
        producer = place.producer(
            "paced", "--format", "json", *kafka, "--seconds", "0.2", "--rate", "1",
            own_python=True,
        )  # fmt: skip
        producer.go()
        producer.result()
        producer.close()
    time.sleep(1.0)


def _throughput(
    place: Place,
    name: str,
    table: str,
    total: int,
    options: tuple[str, ...],
    pids: dict[str, int],
    done: Callable[[], bool],
    *,
    every_s: float = 0.05,
    before: int = 0,
) -> Result:
    """Time from the first send until everything is stored, and count what is stored."""
    producer = place.producer(*options, own_python=options[0] == "json")
    try:
        with Meter(pids | {"producer": producer.pid}) as meter:
            producer.go()
            wait_until(done, DEADLINE_S, f"{name}: {total} readings stored", every_s)
            ended = time.time()
            sent = producer.result()
    finally:
        producer.close()
    stored = place.count(table) - before
    if stored != total:
        raise RuntimeError(f"{name} stored {stored} of {total} readings")
    kind = "end to end" if name == "cityops" else "peer"
    return Result(name, kind, total, ended - sent["started"], meter.costs)


def latency(
    place: Place,
    table: str,
    wire: str | tuple[str, ...],
    sensors: int,
    seconds: float,
    limit_per_s: float,
) -> dict[str, float | str]:
    """Time probes at a quarter of what the contender can do, at most 20 000 readings/s."""
    rate = round(min(20_000.0, limit_per_s / 4))
    form, extra = ("frames", ()) if isinstance(wire, str) else ("json", wire[1:])
    producer = place.producer(
        "paced", "--format", form, "--rate", str(rate), "--sensors", str(sensors),
        "--seconds", str(seconds + WARM_S), "--warm", str(WARM_S), *extra,
        own_python=form == "json",
    )  # fmt: skip
    stop = threading.Event()
    found: list[float] = []
    watcher = threading.Thread(target=_watch, args=(place.dsn, table, stop, found))
    watcher.start()
    try:
        producer.go()
        producer.result()
        time.sleep(SETTLE_S if not found else 1.0)
    finally:
        stop.set()
        watcher.join()
        producer.close()
    if not found:
        raise RuntimeError(f"no probe arrived in {table}")
    return percentiles(found) | {"at_per_s": rate}


def percentiles(found_ms: list[float]) -> dict[str, float | str]:
    """Return p50 and p99 of durations in ms."""
    p50, p99 = np.percentile(found_ms, [50, 99])
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}


def _watch(dsn: str, table: str, stop: threading.Event, found: list[float]) -> None:
    """Note how old each probe is when its row is first seen."""
    query = (
        f"SELECT extract(epoch FROM observed_at)::float8 FROM {table}"
        f" WHERE sensor = '{PROBE}' AND observed_at > to_timestamp(%s) ORDER BY observed_at"
    ).encode()
    newest = time.time()
    with psycopg.connect(dsn, autocommit=True) as conn:
        while not stop.wait(WATCH_S):
            rows = conn.execute(query, [newest]).fetchall()
            now = time.time()
            found += [(now - at) * 1000 for (at,) in rows]
            newest = rows[-1][0] if rows else newest
