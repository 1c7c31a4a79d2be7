"""Backfill: days of history as Arrow IPC stream files, one per stream, for ``storage load``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from catalog.city.sensors import sensors_of
from catalog.frames import readings_schema
from catalog.model import Stream
from catalog.registry import stream, streams
from simulators.core.calendar import DAY_S
from simulators.core.chance import Chance
from simulators.core.city import City
from simulators.core.fleet import US, Fleet, fleet_of
from simulators.default import StreamSimulator

BATCH_READINGS = 200_000
SUFFIX = ".arrows"
STREAM_KEY = b"stream"


@dataclass(frozen=True, slots=True)
class Plan:
    """History of (until - days, until] (epoch s). ``sensors`` in all; None = the catalog's own."""

    days: float
    until: float
    sensors: int | None = None
    names: tuple[str, ...] = ()
    seed: int = 1


def fleets(plan: Plan) -> list[Fleet]:
    """Return the sensors, shared out over the streams as the catalog shares them."""
    chosen = [stream(n) for n in plan.names or streams()]
    if plan.sensors is None:
        return [fleet_of(s, Chance(plan.seed)) for s in chosen]
    counts = shares(plan.sensors, [len(sensors_of(s.name)) for s in chosen])
    pairs = zip(chosen, counts, strict=True)
    return [fleet_of(s, Chance(plan.seed), n) for s, n in pairs if n]


def shares(total: int, weights: list[int]) -> list[int]:
    """Return whole parts of ``total`` in proportion to the weights; their sum is exact."""
    ends = [total * sum(weights[: n + 1]) // sum(weights) for n in range(len(weights))]
    return [b - a for a, b in zip([0, *ends], ends, strict=False)]


def readings_expected(plan: Plan, chosen: list[Fleet]) -> int:
    """Return how many readings the plan makes, within one per sensor."""
    return round(sum(len(f) * plan.days * DAY_S / f.stream.cadence_s for f in chosen))


def write(plan: Plan, fleet: Fleet, folder: Path, told: Callable[[int], None]) -> tuple[Path, int]:
    """Write one stream's file; ``told`` hears of every batch's readings. Returns path and count.

    The file appears under its name only when it is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{fleet.stream.name}{SUFFIX}"
    partial = path.with_suffix(".part")
    simulator, city = StreamSimulator(fleet.stream, plan.seed, fleet), City(plan.seed)
    step = max(fleet.stream.cadence_s, BATCH_READINGS * fleet.stream.cadence_s // len(fleet))
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    count, at = 0, int((plan.until - plan.days * DAY_S) * US)
    end = int(plan.until * US)
    with pa.ipc.new_stream(str(partial), schema_of(fleet.stream), options=options) as out:
        while at < end:
            until = min(end, at + step * US)
            batch = simulator.batch(city, fleet.due(at, until))
            out.write_batch(batch.replace_schema_metadata({STREAM_KEY: fleet.stream.name.encode()}))
            count, at = count + batch.num_rows, until
            told(batch.num_rows)
    partial.replace(path)
    return path, count


def schema_of(declared: Stream) -> pa.Schema:
    """Return the readings' schema with ``{"stream": name}`` in its metadata."""
    return readings_schema(declared).with_metadata({STREAM_KEY: declared.name.encode()})
