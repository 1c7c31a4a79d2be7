"""Scaling out on one machine: one worker and one sink against two of each, exactness checked.

Each crew handles the same readings in a database and topics of its own. Crews of workers or sinks
alone show what a second one adds where the rest of the pipe does not ask for the same cores. Every
pass runs the crews in turn, each second pass backwards, so that a busy minute favours nobody.
"""

import os
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg

from benchmarks.contenders import DEADLINE_S
from benchmarks.measure import Meter
from benchmarks.records import SENSORS, STREAM, declared
from benchmarks.stand import PARTITIONS, Place, Running, Stand, open_place
from catalog.registry import streams
from deploy.wait import wait_until
from storage.batch import Topics
from storage.tables import aggregate_columns, aggregates_table, readings_table

READINGS = 1_000_000
PASSES = 3
SHARED_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers and sinks share the work."""

    workers: int
    sinks: int

    def __str__(self) -> str:
        named = (("worker", self.workers), ("sink", self.sinks))
        return " + ".join(f"{n} {word}{'s' * (n > 1)}" for word, n in named if n)


CREWS = (Crew(1, 1), Crew(2, 2), Crew(1, 0), Crew(2, 0), Crew(0, 1), Crew(0, 2))


def run(stand: Stand, share: float) -> list[dict[str, Any]]:
    """Measure every crew in several passes; return one row per crew with all its passes.

    ``RuntimeError`` when readings are missing or doubled, or the windows of two runs differ.
    """
    total = max(100_000, round(READINGS * share))
    found: dict[Crew, list[dict[str, Any]]] = {crew: [] for crew in CREWS}
    _measure(stand, Crew(1, 1), total // 2)  # warms the servers up
    for number in range(max(1, round(PASSES * share))):
        for crew in CREWS if number % 2 == 0 else reversed(CREWS):
            row = _measure(stand, crew, total)
            print(f"{crew}: {row['readings_per_s']:,}/s, load {row['load_average']}", flush=True)
            found[crew].append(row)
    windows = {row["windows"] for rows in found.values() for row in rows if "windows" in row}
    if len(windows) != 1:
        raise RuntimeError(f"the same readings gave different windows: {windows}")
    return [_summed_up(crew, total, rows) for crew, rows in found.items()]


def _measure(stand: Stand, crew: Crew, total: int) -> dict[str, Any]:
    """Time from the first send until all is stored, and judged, by whom the crew has for it."""
    with open_place(stand) as place:
        workers, sinks = _start(place, crew)
        ours = workers | sinks
        pids = stand.pids() | {name: each.child.pid for name, each in ours.items()}

        def done() -> bool:
            return all(
                sum(each.rows() for each in group.values()) >= total
                for group in (workers, sinks)
                if group
            )

        options = ("--total", str(total), "--sensors", str(SENSORS))
        producer = place.producer("frames", *options)
        try:
            with Meter(pids | {"producer": producer.pid}) as meter:
                producer.go()
                wait_until(done, DEADLINE_S, f"{crew}: {total} readings", 0.05)
                ended = time.time()
                took = ended - producer.result()["started"]
        finally:
            producer.close()
        row = {
            "readings_per_s": round(total / took),
            "cpu_s_per_million": {
                name: round(cost.cpu_s / total * 1e6, 2) for name, cost in meter.costs.items()
            },
            "handled": {name: each.rows() for name, each in ours.items()},
            "load_average": round(os.getloadavg()[0], 1),
        }
        return row | _checked(place, crew, total)


def _start(place: Place, crew: Crew) -> tuple[dict[str, Running], dict[str, Running]]:
    """Start a crew and wait until every partition has one owner and everybody as many."""
    workers = {
        name: place.start(
            "streams", "worker", CITYOPS_PROCESS=name, CITYOPS_WORKER_INSTANCE=str(number)
        )
        for number in range(crew.workers)
        for name in [f"worker-{number + 1}"]
    }
    sinks = {
        name: place.start("storage", "sink", CITYOPS_PROCESS=name)
        for number in range(crew.sinks)
        for name in [f"sink-{number + 1}"]
    }
    read = {
        "workers": (workers, len(streams()) * PARTITIONS),
        "sinks": (sinks, len(Topics.of(place.prefix).all()) * PARTITIONS),
    }
    for what, (group, partitions) in read.items():
        wait_until(
            lambda g=group, p=partitions: all(_owned(each) == p // len(g) for each in g.values()),
            SHARED_DEADLINE_S,
            f"partitions shared among {what}",
        )
    return workers, sinks


def _owned(running: Running) -> int:
    return running.health().get("details", {}).get("partitions", 0)


def _checked(place: Place, crew: Crew, total: int) -> dict[str, Any]:
    """Count rows, and give the fingerprint of the windows once they hold every reading."""
    if not crew.sinks:
        return {}
    stored = place.count(readings_table(STREAM))
    if stored != total:
        raise RuntimeError(f"{crew} stored {stored} of {total} readings")
    if not crew.workers:
        return {"rows": stored}
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        wait_until(
            lambda: _in_windows(conn) == total, DEADLINE_S, f"{crew}: all readings in windows", 0.2
        )
        return {"rows": stored, "windows": _fingerprint(conn)}


def _in_windows(conn: psycopg.Connection) -> int:
    """Return how many readings the stored windows hold."""
    row = conn.execute(f"SELECT sum(n) FROM {aggregates_table(STREAM)}".encode()).fetchone()
    return int(row[0] or 0) if row else 0


def _fingerprint(conn: psycopg.Connection) -> str:
    """Return a hash of the content of all windows; how often each was put out does not matter."""
    names = ", ".join(
        ["sensor", "window_start", "n", *(n for n, _ in aggregate_columns(declared()))]
    )
    row = conn.execute(
        f"SELECT count(*) || ' ' || md5(string_agg(md5(w::text), '' ORDER BY sensor, window_start))"
        f" FROM (SELECT {names} FROM {aggregates_table(STREAM)}) w".encode()
    ).fetchone()
    return str(row[0]) if row else ""


def _summed_up(crew: Crew, total: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    rates = [row["readings_per_s"] for row in rows]
    head = {"crew": str(crew), "readings": total, "median_readings_per_s": round(median(rates))}
    return head | {"passes": rows}
