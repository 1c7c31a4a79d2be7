"""Memory over time: sink and worker under a steady load, watched until the end.

``make soak`` exits 1 when a process's memory in the last third lies more than 10 % above that in
the middle third. The first third must hold what fills by design: an hour of windows (the stream's
lateness) and the database's buffers; so the whole takes three hours and more.
"""

import json
import time
from statistics import median
from typing import Any

from benchmarks.measure import memory_mb
from benchmarks.stand import Place, Running, Stand, open_place

RATE = 20_000
SENSORS = 10_000
EVERY_S = 5.0
MINUTE_S = 60.0
GROWTH = 1.10
"""What a process may hold in the last third against the middle one."""


def run(stand: Stand, minutes: float) -> list[dict[str, Any]]:
    """Send ``RATE`` readings a second for so long; return one row of figures per process."""
    with open_place(stand) as place:
        sink, worker = place.start("storage", "sink"), place.start("streams", "worker")
        pids = stand.pids() | {"sink": sink.child.pid, "worker": worker.child.pid}
        seen: dict[str, list[float]] = {name: [] for name in pids}
        ends = time.monotonic() + minutes * MINUTE_S
        while (left := ends - time.monotonic()) > 1:
            _watch(place, pids, seen, min(left, MINUTE_S))
            print(json.dumps(_state(sink, worker, seen)), flush=True)
    return [_verdict(name, values) for name, values in seen.items()]


def _watch(
    place: Place, pids: dict[str, int], seen: dict[str, list[float]], seconds: float
) -> None:
    """Send for a while and look at everybody's memory meanwhile."""
    options = ("paced", "--rate", str(RATE), "--sensors", str(SENSORS), "--seconds", str(seconds))
    producer = place.producer(*options)
    ends = time.monotonic() + seconds
    producer.go()
    while time.monotonic() < ends:
        for name, pid in pids.items():
            seen[name].append(memory_mb(pid))
        time.sleep(EVERY_S)
    producer.result()
    producer.close()


def _state(sink: Running, worker: Running, seen: dict[str, list[float]]) -> dict[str, Any]:
    rows = {"sink_rows": sink.rows(), "worker_rows": worker.rows()}
    lag = {"sink_lag": sink.health().get("lag"), "worker_lag": worker.health().get("lag")}
    return rows | lag | {f"{name}_mb": round(values[-1]) for name, values in seen.items()}


def _verdict(name: str, values: list[float]) -> dict[str, Any]:
    third = max(1, len(values) // 3)
    middle, last = median(values[third : 2 * third]), median(values[-third:])
    return {
        "process": name,
        "middle_mb": round(middle),
        "last_mb": round(last),
        "flat": last <= middle * GROWTH,
    }
