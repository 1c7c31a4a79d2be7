"""The reducer of one partition: records in, outputs out, state between.

A frame is processed in passes: pass n holds the n-th reading of each sensor in the frame's order.
Sensors do not influence each other, so this equals processing the readings one by one, while the
usual frame (one reading of each sensor) is one pass of array operations.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import numpy as np
import pyarrow as pa

from catalog.frames import bad_rows
from catalog.lifecycle.day_kinds import kinds_of
from catalog.model import Stream
from catalog.overrides import Override
from catalog.ticks import Tick, Word
from engine import (
    absence,
    health,
    patience,
    pipeline,
    quality,
    quantities,
    rules,
    snapshot,
    times,
    unheard,
    usual,
    windows,
)
from engine.cells import Sensors
from engine.crowd import Crowds, look_up
from engine.doubts import JUMP
from engine.layout import NEVER
from engine.outputs import Outputs
from engine.patience import Decided
from engine.quality import Tested
from engine.snapshot import Parts
from engine.state import State
from engine.times import Arrived


class PartitionEngine:
    """Quality, windows and rules of one partition (shard) of one stream."""

    def __init__(
        self,
        stream: Stream,
        shard: int = 0,
        day_kind: Callable[[np.ndarray], np.ndarray] = kinds_of,
    ) -> None:
        self.state = State(stream, shard, day_kind)
        self._crowds = Crowds()
        self._counts_gaps = any(r.full for r in stream.rolling)

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

    def process(
        self,
        batch: pa.RecordBatch,
        produced_at: datetime,
        received_at: int | None = None,
        flags: np.ndarray | None = None,
    ) -> Outputs:
        """Process one frame of the stream; readings that break the contract are passed over.

        ``received_at`` (epoch µs) is when the frame was received: no reading counts later; None
        where that is not known. ``flags`` ``[k, M]`` are the device's own, 0 for none.
        """
        out = self._outputs()
        names = batch.column("sensor")
        # whose name has a row has kept the contract before
        crowd = self._crowds.find(self.state, names)
        if bad := bad_rows(batch, names_are_good=crowd is not None):
            keep = np.ones(batch.num_rows, bool)
            keep[[row.index for row in bad]] = False
            batch, crowd = batch.filter(pa.array(keep)), None
            flags = flags if flags is None else flags[keep]
        if not batch.num_rows:
            return out
        if crowd is None:
            crowd = look_up(self.state, batch.column("sensor"))
        everybody = crowd.everybody
        absence.arrived(self.state, everybody)
        observed, values = _columns(batch)
        touched = [(everybody, everybody.read(self.state.arrays["newest"]).copy())]
        top = everybody.read(self.state.arrays["top"])
        if (top > touched[0][1]).any():  # of whose clock was set back
            touched.append((everybody, top.copy()))
        # absurd values overflow on the way to their flags; that is meant
        with np.errstate(over="ignore", invalid="ignore"):
            for nth, (rows, sensors) in enumerate(crowd.rounds):
                latest = None if received_at is None else received_at + nth
                arrived = Arrived(
                    sensors, observed[rows], values[rows], flags if flags is None else flags[rows]
                )
                arrived = times.arrive(self.state, arrived, latest, out)
                touched.append((arrived.sensors, arrived.times))
                self._pass(arrived, produced_at, out)
        windows.close_record(self.state, touched, out)
        return out

    def tick(self, tick: Tick, produced_at: datetime) -> Outputs:
        """Take a tick; one that is not newer than the last changes nothing."""
        out, state = self._outputs(), self.state
        if tick.at > state.tick_at:
            state.tick_at = tick.at
            state.ticks += 1
            self._overridden(state.overrides.end(tick.at))
            windows.close_tick(state, tick.at * 1_000_000, out)
            with np.errstate(over="ignore", invalid="ignore"):
                patience.tick(state, partial(self._look, produced_at=produced_at, out=out))
                rules.tick(state, produced_at, out)
            unheard.tick(state, produced_at, out)
            pipeline.tick(state, tick.pulse, produced_at, out)
            absence.tick(state, tick.pulse, produced_at, out)
        return out

    def override(self, override: Override) -> None:
        """Take what a person has set for a sensor; one that is no news changes nothing."""
        state = self.state
        state.slots_of([override.sensor])
        if state.overrides.takes(override):
            self._overridden([override])

    def hear(self, word: Word) -> None:
        """Take the status of another shard of the stream."""
        absence.hear(self.state, word)

    def knows(self, override: Override) -> bool:
        """Tell whether this override, or a newer one of its sensor and metric, was taken."""
        known = self.state.overrides.known.get((override.sensor, override.metric))
        return known is not None and known.revision >= override.revision

    def _overridden(self, changed: list[Override]) -> None:
        """Judge by another span from here on; how well the one before fitted is forgotten."""
        state = self.state
        for override in changed:
            place = state.stream.metric_names.index(override.metric)
            state.arrays["odd_n"][state.slots[override.sensor], place] = 0
        if changed:
            state.lay_out_overrides()

    def _pass(self, arrived: Arrived, produced_at: datetime, out: Outputs) -> None:
        """Process one reading of each sensor that counts: newest ones, and those behind."""
        state = self.state
        if not len(arrived.sensors):
            return
        newest = arrived.times > arrived.sensors.read(state.arrays["newest"])
        back = ~newest
        if back.any():
            back &= times.set_back(state, arrived.sensors)
            newest |= back
        if not newest.all():
            self._behind(arrived.chosen(~newest), produced_at, out)
        if newest.any():
            self._newest(arrived.chosen(newest), back[newest], produced_at, out)

    def _behind(self, arrived: Arrived, produced_at: datetime, out: Outputs) -> None:
        state = self.state
        tested = quality.test_behind(state, *arrived, out)
        windows.count(state, tested.sensors, tested.times, out)
        quantities.take_in(state, tested.sensors, tested.times, tested.values, tested, out)
        absence.used(state, tested, produced_at, out)

    def _newest(
        self, arrived: Arrived, back: np.ndarray, produced_at: datetime, out: Outputs
    ) -> None:
        state, a = self.state, self.state.arrays
        waits = arrived.sensors.read(a["h_at"]) != NEVER
        if waits.any():
            part = arrived.chosen(waits)
            self._take(patience.decide(state, *part, produced_at, out), produced_at, out)
        if back.any():
            times.move_back(state, arrived.chosen(back), out)
        times.note_newest(state, arrived, ~back if self._counts_gaps else None)
        windows.count(state, arrived.sensors, arrived.times, out)
        tested = quality.test(state, *arrived, out)
        unheard.withdraw(state, tested, produced_at, out)
        health.evaluate(state, tested, produced_at, out)
        absence.used(state, tested, produced_at, out)
        held = None
        if (tested.doubts & JUMP).any():
            held = np.logical_or.reduce((tested.doubts & JUMP) > 0, axis=1)
            patience.hold(state, tested, held)
        self._count(tested, held, produced_at, out)

    def _count(
        self, tested: Tested, held: np.ndarray | None, produced_at: datetime, out: Outputs
    ) -> None:
        """Let readings into buckets and windows, and rules look at them; but not those held.

        These pass as if they carried nothing: to part them from the others costs more.
        """
        state, sensors, at = self.state, tested.sensors, tested.times
        columns = quantities.take_in(state, sensors, at, tested.values, tested, out, held)
        usual.take(state, sensors, at, tested.values, tested, held, produced_at, out)
        came: np.ndarray | int = state.ticks
        if held is not None:
            at = np.where(held, sensors.read(state.arrays["e_at"]), at)
            came = np.where(held, sensors.read(state.arrays["e_tick"]), state.ticks)
        rules.evaluate(state, sensors, at, came, columns, tested.doubts, produced_at, out)

    def _take(self, decided: Decided, produced_at: datetime, out: Outputs) -> None:
        """Let readings that have waited into buckets and windows; and rules look, if not yet."""
        state = self.state
        columns = quantities.take_in(
            state, decided.sensors, decided.times, decided.values, decided, out
        )
        given = (decided.sensors, decided.times, decided.values, decided, None)
        usual.take(state, *given, produced_at, out)
        fresh = ~decided.known
        if fresh.any():
            columns = {name: column[fresh] for name, column in columns.items()}
            given = (decided.times[fresh], decided.came[fresh], columns, decided.doubts[fresh])
            skip = decided.looked_at[fresh] if decided.looked.any() else None
            rules.evaluate(state, decided.sensors.chosen(fresh), *given, produced_at, out, skip)

    def _look(
        self,
        sensors: Sensors,
        at: np.ndarray,
        values: np.ndarray,
        doubted: np.ndarray,
        *,
        produced_at: datetime,
        out: Outputs,
    ) -> None:
        """Let rules look at readings that wait, without keeping them."""
        columns = quantities.preview(self.state, sensors, at, values, out)
        came = self.state.arrays["h_tick"][sensors.slots]
        rules.evaluate(self.state, sensors, at, came, columns, doubted, produced_at, out)

    def _outputs(self) -> Outputs:
        return Outputs(self.state.stream, self.state.names)


def _columns(batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
    """Return times (epoch µs) and values ``[k, M]``, NaN where there is none."""
    observed = batch.column("observed_at").view(pa.int64()).to_numpy()
    values = np.empty((batch.num_rows, batch.num_columns - 2))
    for place in range(values.shape[1]):
        values[:, place] = batch.column(place + 2).to_numpy(zero_copy_only=False)
    return observed, values
