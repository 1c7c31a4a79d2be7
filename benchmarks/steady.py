"""What a steady 20 000 readings/s costs in small frames, by how long the sink lets them gather.

``python -m benchmarks steady`` prints each process's share of a core, the sink's transactions and
how old a reading is when it can be seen.
"""

import json
import os
from typing import Any

from benchmarks.contenders import WARM_S, latency
from benchmarks.measure import Meter
from benchmarks.records import STREAM
from benchmarks.soak import PROCESSES, RATE, SENSORS
from benchmarks.stand import Stand, open_place
from storage.tables import readings_table

GATHER_MS = (0, 50, 100)
SECONDS = 40.0
BATCHES = "cityops_consumer_batch_seconds_count"


def run(
    stand: Stand, share: float, sensors: int = SENSORS, gather: tuple[int, ...] = GATHER_MS
) -> list[dict[str, Any]]:
    """Send the same steady stream to one crew after the other."""
    found = []
    for gather_ms in gather:
        found.append(_crew(stand, gather_ms, max(5.0, SECONDS * share), sensors))
        print(json.dumps(found[-1]), flush=True)
    return found


def _crew(stand: Stand, gather_ms: int, seconds: float, sensors: int) -> dict[str, Any]:
    extra = {"CITYOPS_GATHER_MS": str(gather_ms)}
    with open_place(stand) as place:
        ours = {name: place.start(*line, **extra) for name, line in PROCESSES.items()}
        pids = stand.pids() | {name: each.child.pid for name, each in ours.items()}
        before = ours["sink"].metric(BATCHES)
        with Meter(pids) as meter:
            seen = latency(place, readings_table(STREAM), "frames", sensors, seconds, 4.0 * RATE)
        batches = ours["sink"].metric(BATCHES) - before
    sent_s = seconds + WARM_S
    return {
        "sensors": sensors,
        "gather_ms": gather_ms,
        "transactions_per_s": round(batches / sent_s, 1),
        "visible_ms": seen,
        "core_percent": {n: round(100 * c.cpu_s / sent_s, 1) for n, c in meter.costs.items()},
        "load_average": round(os.getloadavg()[0], 1),
    }
