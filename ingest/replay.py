"""Replay a CSV file through the gateway: its validation, in order, resumable, nothing twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from catalog.model import Stream
from ingest.readings import FieldError
from ingest.replay_file import CsvFile
from ingest.replay_map import FILE, ReplayMap
from ingest.replay_state import Progress, StateFile
from service.clock import Clock
from service.errors import FatalError

BATCH = 2_500
"""Readings a request; far below the gateway's limits in number and in bytes."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reading that was not taken: its line in the file, sensor and error."""

    line: int
    sensor: str
    error: FieldError


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its line, its time when readable, its cells."""

    line: int
    at: datetime | None
    cells: dict[str, str]
    error: FieldError | None = None


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
        self._path = path
        self._file = CsvFile(path, plan.columns)
        self._plan = plan
        self._state = state
        self._on_refused = on_refused
        self.progress = state.load() or Progress()

    def run(self, sender: Sender, pace: Pace) -> Iterator[Progress]:
        """Send what is left, yielding the progress after each acknowledged request."""
        batch = Batch()
        for number, row in enumerate(self._rows()):
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

    def span(self) -> tuple[int, datetime, datetime]:
        """Return rows, first and last time of the file; ``FatalError`` when no time is readable."""
        count, times = 0, []
        for count, row in enumerate(self._rows(), 1):  # noqa: B007 the last count is used below
            if row.at:
                times = [min(times[0], row.at), max(times[1], row.at)] if times else [row.at] * 2
        if not times:
            raise self._no_time()
        return count, times[0], times[1]

    def count(self) -> int:
        """Return the number of rows; ``FatalError`` when no time is readable."""
        if not any(row.at for row in self._rows()):
            raise self._no_time()
        return sum(1 for _ in self._file.rows())

    def _no_time(self) -> FatalError:
        row = next(self._rows(), None)
        if row is None:
            return _unusable(self._path, "it has a header and no rows")
        form, detail = self._plan.time.format, row.error.detail if row.error else ""
        return _unusable(self._path, f"no row has a time of the form {form!r}; the first: {detail}")

    def _rows(self) -> Iterator[Row]:
        before = None
        for line, cells in self._file.rows():
            row = self._row(line, cells, before)
            before = row.at or before
            yield row

    def _row(self, line: int, cells: dict[str, str] | str, before: datetime | None) -> Row:
        if isinstance(cells, str):
            return Row(line, None, {}, FieldError(None, "*", "columns", cells))
        try:
            at = self._plan.time.read(cells, before)
        except (ValueError, OverflowError) as fault:
            return Row(line, None, cells, FieldError(None, "observed_at", "time", str(fault)[:200]))
        return Row(line, at, cells)

    def _add(self, batch: Batch, row: Row) -> None:
        batch.rows += 1
        if row.at is None:
            error = row.error or FieldError(None, "observed_at", "time", "no time")
            batch.refusals.append(Refusal(row.line, "", error))
        elif not self._plan.keeps(row.cells):
            batch.filtered += 1
        else:
            observed = (row.at + timedelta(seconds=self.progress.shift_s)).isoformat()
            for sensor, metrics in self._plan.readings(row.cells, self._path.stem):
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
                raise _unusable(self._path, f"refused as a whole: {errors[0].detail}")
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


def _unusable(path: Path, what: str) -> FatalError:
    return FatalError(f"{path}: {what}", code="replay_file", stage="receiving")
