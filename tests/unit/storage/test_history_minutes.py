"""Minutes of history are those that the worker makes of the same readings."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from catalog.registry import stream
from catalog.ticks import Tick
from engine.partition import PartitionEngine
from simulators.backfill import Plan, fleets, write
from storage.history.files import HistoryFile
from storage.history.minutes import MinuteMaker

UNTIL = datetime(2026, 7, 21, 4, 0, tzinfo=UTC).timestamp()
JUDGED = {"rate_per_min": None, "flat": None, "spike": None}
"""What history is not judged by."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", ["air_quality", "weather", "noise", "feeder", "grid_frequency", "water_supply"]
)
def test_minutes_equal_the_workers(name: str, tmp_path: Path) -> None:
    declared = stream(name)
    calm = declared.model_copy(
        update={"metrics": tuple(m.model_copy(update=JUDGED) for m in declared.metrics)}
    )
    days = 26 / 24 if declared.cadence_s >= 60 else 3 / 24
    plan = Plan(days, UNTIL, sensors=1, names=(name,))
    (fleet,) = fleets(plan)
    path, _ = write(plan, fleet, tmp_path, lambda _: None)
    maker, engine = MinuteMaker(calm), PartitionEngine(calm)
    made: list[pa.RecordBatch] = []
    outputs: list[pa.RecordBatch] = []
    for span in HistoryFile(path, declared).spans():
        for part in _parts(span.readings):
            made.append(maker.make(part))
            order = np.argsort(part.column("observed_at").cast(pa.int64()).to_numpy())
            out = engine.process(part.take(pa.array(order)), datetime.now(UTC))
            outputs += filter(None, [out.aggregates_batch()])
    for second in (600, 601):
        end = engine.tick(Tick(int(UNTIL) + second), datetime.now(UTC))
        outputs += filter(None, [end.aggregates_batch()])
    ours, worker = _by_key(made), _by_key(outputs)
    assert len(ours) > 100
    assert ours.keys() == worker.keys()
    for key, row in ours.items():
        assert row == pytest.approx(worker[key], nan_ok=True, rel=1e-9, abs=1e-6), key


def _parts(readings: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Split a span at some minute, so that sliding metrics are carried over."""
    times = readings.column("observed_at").cast(pa.int64()).to_numpy()
    middle = int(np.median(times)) // 60_000_000 * 60_000_000
    masks = (times < middle, times >= middle)
    return [readings.filter(pa.array(mask)) for mask in masks if mask.any()]


def _by_key(batches: list[pa.RecordBatch]) -> dict[tuple[str, datetime], list[float]]:
    """Return statistics by (sensor, window); of two revisions the later one."""
    found: dict[tuple[str, datetime], list[float]] = {}
    for batch in batches:
        for row in batch.to_pylist():
            key = (row.pop("sensor"), row.pop("window_start"))
            del row["revision"]
            found[key] = [float("nan") if v is None else float(v) for v in row.values()]
    return found
