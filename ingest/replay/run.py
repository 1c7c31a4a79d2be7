"""Replay a file through the gateway: its validation, in order, resumable, nothing twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from catalog.model import Stream
from ingest.readings import FieldError
from ingest.replay.faults import unusable
from ingest.replay.map import FILE, ReplayMap
from ingest.replay.rows import Row, RowReader
from ingest.replay.state import Progress, StateFile
from ingest.replay.survey import Survey, survey, timed_rows
from ingest.replay.table import Table
from service.clock import Clock

BATCH = 2_500
"""Readings a request; far below the gateway's limits in number and in bytes."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reading that was not taken: its line in the file, sensor and error."""

    line: int
    sensor: str
    error: FieldError


@dataclass(slots=True)
class Batch:
    """Readings ready to send, with the line each came from, and the rows they used up."""

    rows: int = 0
    filtered: int = 0
    lines: list[int] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


class Sender(Protocol):
    """Sends readings; returns errors by item (None of them stored), or none when all are."""

    def send(self, readings: list[dict[str, Any]]) -> list[FieldError]:
        """Send one request."""
        ...


class Pace(Protocol):
    """Says when a reading is due."""

    def is_due(self, at: datetime) -> bool:
        """Tell whether a reading of this time may be sent."""
        ...

    def wait(self, at: datetime) -> None:
        """Return when it may."""
        ...


class Replay:
    """One file on its way into one stream."""

    def __init__(
        self,
        path: Path,
        plan: ReplayMap,
        state: StateFile,
        on_refused: Callable[[Refusal], None] = lambda _: None,
    ) -> None:
        self.table = Table(path, plan, plan.columns)
        self._path = path
        self.plan = plan
        self.reader = RowReader(plan, path.stem)
        self._state = state
        self._on_refused = on_refused
        self._survey: Survey | None = None
        self.progress = state.load() or Progress()

    def survey(self, on_rows: Callable[[int], None] = lambda _: None) -> Survey:
        """Return what the whole file holds; ``FatalError`` when it cannot be replayed."""
        if self._survey is None:
            self._survey = survey(self.table, self.plan, on_rows)
        return self._survey

    def run(self, sender: Sender, pace: Pace) -> Iterator[Progress]:
        """Send what is left, yielding the progress after each acknowledged request."""
        batch = Batch()
        for number, row in enumerate(timed_rows(self.table, self.plan, self.survey())):
            if number < self.progress.rows:
                continue
            if row.at and not pace.is_due(row.at):
                if batch.rows:
                    yield self._finish(batch, sender)
                    batch = Batch()
                pace.wait(row.at)
            self._add(batch, row)
            if len(batch.readings) + len(batch.refusals) >= BATCH:
                yield self._finish(batch, sender)
                batch = Batch()
        self.progress.done = True
        yield self._finish(batch, sender)

    def _add(self, batch: Batch, row: Row) -> None:
        batch.rows += 1
        if row.at is None:
            error = row.error or FieldError(None, "observed_at", "time", "no time")
            batch.refusals.append(Refusal(row.line, "", error))
        elif not self.plan.keeps(row.cells):
            batch.filtered += 1
        else:
            shift_s = self.progress.shift_s
            observed = (row.at + timedelta(seconds=shift_s) if shift_s else row.at).isoformat()
            for sensor, metrics in self.reader.readings(row.cells):
                if isinstance(metrics, FieldError):
                    batch.refusals.append(Refusal(row.line, sensor, metrics))
                    continue
                batch.lines.append(row.line)
                batch.readings.append({"sensor": sensor, "observed_at": observed, **metrics})

    def _finish(self, batch: Batch, sender: Sender) -> Progress:
        """Send the batch without what the gateway refuses, then save how far we are."""
        kept = list(zip(batch.lines, batch.readings, strict=True))
        while kept and (errors := sender.send([reading for _, reading in kept])):
            first = {e.item: e for e in reversed(errors) if e.item is not None}
            if not first:
                raise unusable(self._path, f"refused as a whole: {errors[0].detail}")
            batch.refusals += [
                Refusal(kept[i][0], str(kept[i][1]["sensor"]), e) for i, e in sorted(first.items())
            ]
            kept = [pair for i, pair in enumerate(kept) if i not in first]
        self.progress.rows += batch.rows
        self.progress.filtered += batch.filtered
        self.progress.accepted += len(kept)
        for refusal in batch.refusals:
            rule = refusal.error.rule
            self.progress.refused[rule] = self.progress.refused.get(rule, 0) + 1
            self._on_refused(refusal)
        self._state.save(self.progress)
        return self.progress


def state_words(stream: Stream, plan: ReplayMap, path: Path) -> tuple[str, ...]:
    """Return what, beside the file's content, tells one replay from another."""
    named_by_file = any(FILE in s.id_columns for s in plan.sensors)
    return (stream.name, plan.model_dump_json(), path.stem if named_by_file else "")


def shift_seconds(clock: Clock, first: datetime, last: datetime, speed: float | None) -> float:
    """Return the seconds to add to every time so that no reading lies in the future.

    At real pace or slower the first reading is now; faster, or at once, the last one is.
    """
    anchor = first if speed is not None and speed <= 1 else last
    return (clock.now() - anchor).total_seconds()
