"""Values as faults leave them: a spike, a value held, a column with some values replaced."""

import numpy as np
import pyarrow as pa

from catalog.model import Metric
from simulators.core.chance import Floats
from simulators.core.fleet import US, Fleet, Rows
from simulators.truth import Hidden


def spiked_values(
    metric: Metric, batch: pa.RecordBatch, rows: np.ndarray, size: Floats, sign: Floats
) -> tuple[Floats, np.ndarray]:
    """Return the values with a jump past the metric's failing spike limit, inside what it can say,
    and which of them are no spikes all the same.

    A jump that the span would cut off goes the other way where there is more room.
    """
    assert metric.spike is not None
    was = batch.column(metric.name).to_numpy(zero_copy_only=False)[rows]
    low, high = metric.fail_span
    jump = size * metric.spike[1]
    room, other = np.where(sign > 0, [high - was, was - low], [was - low, high - was])
    sign = np.where((jump > room) & (other > room), -sign, sign)
    spiked = np.round(np.clip(was + sign * jump, low, high), metric.decimals)
    return spiked, ~(np.abs(spiked - was) > metric.spike[0])


def spike_hidden(small: bool, missing: bool, delay_s: float) -> Hidden:
    """Return why a spike cannot be seen; empty when it can."""
    return "unsent" if missing else "behind" if delay_s else "small" if small else ""


def reading_before(fleet: Fleet, index: np.ndarray, at_s: Floats) -> Rows:
    """Return the last reading of each sensor at or before its time."""
    cadence = fleet.stream.cadence_s * US
    nth = ((at_s * US).astype(np.int64) - fleet.phase_us[index]) // cadence
    return Rows(index, nth * cadence + fleet.phase_us[index], nth)


def replaced(
    batch: pa.RecordBatch, name: str, rows: np.ndarray, values: pa.Array
) -> pa.RecordBatch:
    """Return the batch with some values of one column replaced."""
    place = batch.schema.get_field_index(name)
    column = batch.column(place).to_numpy(zero_copy_only=False).copy()
    column[rows] = values.to_numpy(zero_copy_only=False)
    return batch.set_column(place, batch.schema.field(place), pa.array(column, from_pandas=True))
