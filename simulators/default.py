"""The simulator every stream has: around each metric's typical range, by the hour of the day.

``systems/<system>/simulators/<stream>.py`` with a function ``simulate`` overrides it where the
physics is real; a metric that it leaves out stays with the default.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from catalog.declared import files_of, load_module
from catalog.frames import readings_schema
from catalog.model import Metric, Stream
from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import US, Fleet, Rows, catalog_fleet

Simulate = Callable[[City, Fleet, Rows], dict[str, Floats]]
PEAK_HOUR = 15.0
OFFSET_SHARE = 0.1
NOISE_SHARE = 0.03
RISING_SHARE = 0.2
"""Of how fast it can rise, how fast a counter does."""
NOISE_PERIOD_S = 1800.0


class StreamSimulator:
    """Readings of one stream's sensors. Each depends on seed, events, sensor and time alone."""

    def __init__(self, stream: Stream, seed: int, fleet: Fleet | None = None) -> None:
        self.stream = stream
        self.fleet = fleet or catalog_fleet(stream, seed)
        self._override = override_of(stream.name)

    def batch(self, city: City, rows: Rows) -> pa.RecordBatch:
        """Return these readings, one per row, in ``readings_schema``."""
        schema = readings_schema(self.stream)
        if not len(rows):
            return pa.RecordBatch.from_arrays([pa.array([], f.type) for f in schema], schema=schema)
        values = self._override(city, self.fleet, rows) if self._override else {}
        ids = pa.array(self.fleet.ids)
        columns: list[pa.Array] = [ids.take(pa.array(rows.index)), pa.array(rows.at_us)]
        for metric in self.stream.metrics:
            given = values.get(metric.name)
            raw = default_values(city, self.fleet, rows, metric) if given is None else given
            rounded = np.round(np.clip(raw, *metric.fail_span), metric.decimals) + 0.0
            columns.append(pa.array(rounded, from_pandas=True))
        arrays = [c.cast(f.type) for c, f in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def readings(self, city: City, after_s: float, until_s: float) -> pa.RecordBatch:
        """Return the readings due in (after, until] (epoch s), in the order of time."""
        return self.batch(city, self.fleet.due(int(after_s * US), int(until_s * US)))


def override_of(name: str) -> Simulate | None:
    """Return the physics of a stream, None where the default serves."""
    file = next((f for f in files_of("simulators") if f.stem == name), None)
    return getattr(load_module(file), "simulate", None) if file else None


def default_values(city: City, fleet: Fleet, rows: Rows, metric: Metric) -> Floats:
    """Return a daily wave between the ends of ``typical``, with the sensor's offset and noise."""
    label, keys = f"{fleet.stream.name}/{metric.name}", fleet.keys[rows.index]
    wave = 0.5 + 0.4 * np.cos((hour(rows.at_s) - PEAK_HOUR) / 24 * 2 * np.pi)
    offset = city.chance.between(-OFFSET_SHARE, OFFSET_SHARE, label + "/offset", keys)
    drift = NOISE_SHARE * city.chance.wander(label, keys, rows.at_s, NOISE_PERIOD_S)
    jitter = NOISE_SHARE / 3 * city.chance.normal(label + "/jitter", keys, rows.nth)
    low, high = metric.typical
    if metric.kind == "counter":
        assert metric.rate_per_min is not None
        per_s = RISING_SHARE * metric.rate_per_min / 60 * (1 + offset)
        begin = city.chance.between(0.0, high, label + "/begin", keys)
        return (begin + per_s * rows.at_s) % high
    return low + (wave + offset + drift + jitter) * (high - low)
