"""Backfill: days of history as Arrow IPC stream files, one per stream, for ``storage load``."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from catalog.frames import readings_schema
from catalog.model import Stream
from catalog.registry import stream, streams
from catalog.sensors import sensors_of
from simulators.core.calendar import DAY_S
from simulators.core.chance import Chance
from simulators.core.city import City
from simulators.core.fleet import US, Fleet, fleet_of
from simulators.default import StreamSimulator

BATCH_READINGS = 200_000
SUFFIX = ".arrows"
STREAM_KEY, READINGS_KEY = b"stream", b"readings"
ROW_BYTES, VALUE_BYTES = 8, 3
"""Of a file, packed: a reading and each value of it."""
LOADED_BYTES = 390
"""Of a reading in the database with its minutes, rollups and indexes (docs/performance.md)."""
MADE_PER_S = 500_000


@dataclass(frozen=True, slots=True)
class Plan:
    """History of (until - days, until] (epoch s). ``sensors`` in all; None = the catalog's own."""

    days: float
    until: float
    sensors: int | None = None
    names: tuple[str, ...] = ()
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Size:
    """What a plan comes to, about."""

    sensors: int
    readings: int
    file_bytes: int

    @property
    def table_bytes(self) -> int:
        """Return what the readings take when they are loaded."""
        return self.readings * LOADED_BYTES

    @property
    def total_bytes(self) -> int:
        """Return what files and tables take together."""
        return self.file_bytes + self.table_bytes

    @property
    def minutes(self) -> float:
        """Return how long making them takes on one core."""
        return self.readings / MADE_PER_S / 60


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


def readings_expected(days: float, fleet: Fleet) -> int:
    """Return how many readings a stream's sensors make, within one per sensor."""
    return round(len(fleet) * days * DAY_S / fleet.stream.cadence_s)


def size(plan: Plan, chosen: list[Fleet]) -> Size:
    """Return what the plan comes to."""
    counts = [readings_expected(plan.days, fleet) for fleet in chosen]
    widths = [ROW_BYTES + VALUE_BYTES * len(fleet.stream.metrics) for fleet in chosen]
    file_bytes = sum(n * width for n, width in zip(counts, widths, strict=True))
    return Size(sum(map(len, chosen)), sum(counts), file_bytes)


def announced(size: Size, plan: Plan, free: int) -> Iterator[str]:
    """Yield what is said before anything is made; ``free`` bytes has the disk of the files."""
    yield (
        f"{size.readings:,} readings: {size.sensors:,} sensors, {plan.days:g} days; about"
        f" {max(1, round(size.minutes))} min to make. Files: about {_gb(size.file_bytes)}."
        f" Loaded: about {_gb(size.table_bytes)} in the database. Free here: {_gb(free)}."
    )
    if free < size.file_bytes:
        yield f"[red]✗[/red] the files alone need {_gb(size.file_bytes)}: fewer --days or --sensors"
    elif free < size.total_bytes:
        yield (
            f"[red]✗[/red] files and tables together need {_gb(size.total_bytes)}: fewer --days or"
            " --sensors; or, where the database is on another disk, --anyway"
        )


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that a folder, made or not, is on."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


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
    schema = schema_of(fleet.stream, readings_expected(plan.days, fleet))
    with pa.ipc.new_stream(str(partial), schema, options=options) as out:
        while at < end:
            until = min(end, at + step * US)
            batch = simulator.batch(city, fleet.due(at, until))
            out.write_batch(batch.replace_schema_metadata({STREAM_KEY: fleet.stream.name.encode()}))
            count, at = count + batch.num_rows, until
            told(batch.num_rows)
    partial.replace(path)
    return path, count


def _gb(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def schema_of(declared: Stream, readings: int) -> pa.Schema:
    """Return the readings' schema; its metadata names the stream and how many are expected."""
    told = {STREAM_KEY: declared.name.encode(), READINGS_KEY: str(readings).encode()}
    return readings_schema(declared).with_metadata(told)
