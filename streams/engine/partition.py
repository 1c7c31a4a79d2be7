"""The reducer of one partition: records in, outputs out, state between.

A frame is worked off in rounds: round n holds the n-th reading of each sensor in the frame's order.
Sensors do not influence each other, so this equals working off the readings one by one, while the
usual frame (one reading of each sensor) is one round of array operations.
"""

from datetime import datetime

import numpy as np
import pyarrow as pa

from catalog.contracts import FLAG_PASS, FLAG_SUSPECT
from catalog.frames import Tick, Word, bad_rows
from catalog.model import Derived, Stream
from streams.engine import absence, health, pipeline, quality, rolling, rules, snapshot, windows
from streams.engine.alone import elementwise
from streams.engine.cells import Sensors
from streams.engine.crowd import Crowds, look_up
from streams.engine.layout import NEVER
from streams.engine.outputs import Outputs
from streams.engine.snapshot import Parts
from streams.engine.state import US, State


class PartitionEngine:
    """Quality, windows and rules of one partition (shard) of one stream."""

    def __init__(self, stream: Stream, shard: int = 0) -> None:
        self.state = State(stream, shard)
        self._crowds = Crowds()
        self._metrics = stream.metric_names
        self._others = stream.aggregate_names[len(self._metrics) :]
        self._counts_gaps = any(r.full for r in stream.rolling)
        self._lateness_us = stream.lateness_s * US

    def snapshot(self) -> Parts:
        """Return the whole state in parts."""
        return snapshot.take(self.state, changed=False)

    def changes(self) -> Parts:
        """Return the parts that have changed since the last call; laid over those stored they are
        the whole state."""
        return snapshot.take(self.state, changed=True)

    def restore(self, parts: Parts) -> None:
        """Go on from a snapshot."""
        snapshot.restore(self.state, parts)
        self._crowds.forget()

    def process(self, batch: pa.RecordBatch, produced_at: datetime) -> Outputs:
        """Work off one frame of the stream; readings that break the contract are passed over."""
        out = self._outputs()
        names = batch.column("sensor")
        # whose name has a row has kept the contract before
        crowd = self._crowds.find(self.state, names)
        if bad := bad_rows(batch, names_are_good=crowd is not None):
            keep = np.ones(batch.num_rows, bool)
            keep[[row.index for row in bad]] = False
            batch, crowd = batch.filter(pa.array(keep)), None
        if not batch.num_rows:
            return out
        if crowd is None:
            crowd = look_up(self.state, batch.column("sensor"))
        everybody = crowd.everybody
        absence.arrived(self.state, everybody, produced_at, out)
        times, values = _columns(batch)
        touched = [(everybody, everybody.read(self.state.arrays["newest"]).copy())]
        # absurd values overflow on the way to their flags; that is meant
        with np.errstate(over="ignore", invalid="ignore"):
            for rows, sensors in crowd.rounds:
                touched.append((sensors, times[rows]))
                self._round(*touched[-1], values[rows], produced_at, out)
        windows.close_record(self.state, touched, out)
        return out

    def tick(self, tick: Tick, produced_at: datetime) -> Outputs:
        """Take a tick; one that is not newer than the last changes nothing."""
        out, state = self._outputs(), self.state
        if tick.at > state.tick_at:
            state.tick_at = tick.at
            state.ticks += 1
            windows.close_tick(state, tick.at * US, out)
            pipeline.tick(state, tick.pulse, produced_at, out)
            absence.tick(state, tick.pulse, produced_at, out)
        return out

    def hear(self, word: Word) -> None:
        """Take what another shard of the stream has told."""
        absence.hear(self.state, word)

    def _round(
        self,
        sensors: Sensors,
        times: np.ndarray,
        values: np.ndarray,
        produced_at: datetime,
        out: Outputs,
    ) -> None:
        newest = self.state.arrays["newest"]
        fresh = self._arrive(sensors, times, out)
        ahead = fresh & (times > sensors.read(newest))
        behind = fresh & ~ahead
        if ahead.any():
            s, t, v = _those(ahead, sensors, times, values)
            if self._counts_gaps:
                self._count_gaps(s, t)
            s.write(newest, t)
            flags = quality.judge(self.state, s, t, v, out)
            columns = self._window(s, t, v, flags == FLAG_PASS, out)
            health.evaluate(self.state, s, t, v, flags, produced_at, out)
            rules.evaluate(self.state, s, t, columns, produced_at, out)
        if behind.any():
            s, t, v = _those(behind, sensors, times, values)
            flags = quality.judge_late(self.state, s, t, v, out)
            self._window(s, t, v, flags == FLAG_PASS, out)

    def _arrive(self, sensors: Sensors, times: np.ndarray, out: Outputs) -> np.ndarray:
        """Return which readings count: not seen before, not beyond lateness."""
        newest = sensors.read(self.state.arrays["newest"])
        late = (newest != NEVER) & (times < newest - self._lateness_us)
        known = np.zeros(len(times), bool)
        # what is newer than all of its sensor cannot have been seen
        if len(rows := np.flatnonzero(~late & (times <= newest))):
            known[rows] = windows.holds(self.state, sensors.slots[rows], times[rows])
        fresh = ~late & ~known
        for row in np.flatnonzero(late):
            place = (int(sensors.slots[row]), int(times[row]))
            out.flag(*place, "*", "late", FLAG_SUSPECT, float("nan"))
        out.late += int(late.sum())
        out.duplicates += int(known.sum())
        out.accepted += int(fresh.sum())
        return fresh

    def _window(
        self,
        sensors: Sensors,
        times: np.ndarray,
        values: np.ndarray,
        good: np.ndarray,
        out: Outputs,
    ) -> dict[str, np.ndarray]:
        """Add readings to rolling values and windows; return the good columns by name."""
        usable = np.where(good, values, np.nan)
        columns = {name: usable[:, m] for m, name in enumerate(self._metrics)}
        columns |= rolling.roll(self.state, sensors, times, columns)
        for derived in self.state.stream.derived:
            columns[derived.name] = _derive(derived, sensors, times, columns, out)
        extra = [columns[name] for name in self._others]
        everything = np.column_stack([values, *extra]) if extra else values
        goods = np.column_stack([good, *(~np.isnan(e) for e in extra)]) if extra else good
        windows.add(self.state, sensors, times, everything, goods & ~np.isnan(everything), out)
        return columns

    def _count_gaps(self, sensors: Sensors, times: np.ndarray) -> None:
        """Keep the last two gaps between each sensor's newest readings."""
        gap, newest = self.state.arrays["gap"], sensors.read(self.state.arrays["newest"])
        known, last = newest != NEVER, sensors.read(gap)[:, 0]
        latest = np.where(known, times - newest, last)
        before = np.where(known, last, sensors.read(gap)[:, 1])
        sensors.write(gap, np.column_stack([latest, before]))

    def _outputs(self) -> Outputs:
        return Outputs(self.state.stream, self.state.names)


def _those(
    chosen: np.ndarray, sensors: Sensors, times: np.ndarray, values: np.ndarray
) -> tuple[Sensors, np.ndarray, np.ndarray]:
    """Return the chosen readings; as they are where that is all of them, as it mostly is."""
    if chosen.all():
        return sensors, times, values
    return sensors.chosen(chosen), times[chosen], values[chosen]


def _derive(
    derived: Derived,
    sensors: Sensors,
    times: np.ndarray,
    columns: dict[str, np.ndarray],
    out: Outputs,
) -> np.ndarray:
    def by(rows: slice) -> np.ndarray:
        return derived.by({name: columns[name][rows] for name in derived.of}, times[rows])

    return elementwise(derived.name, by, np.nan, sensors.slots, times, out)


def _columns(batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
    """Return times (epoch µs) and values ``[k, M]``, NaN where there is none."""
    times = batch.column("observed_at").view(pa.int64()).to_numpy()
    values = np.empty((batch.num_rows, batch.num_columns - 2))
    for place in range(values.shape[1]):
        values[:, place] = batch.column(place + 2).to_numpy(zero_copy_only=False)
    return times, values
