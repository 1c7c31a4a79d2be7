"""A dry run: what would be read from a file, how, and what the gateway would refuse of it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf

from catalog.frames import EARLIEST, LATEST, SENSOR_ID
from catalog.model import Stream
from ingest.readings import MAX_FUTURE, SENSOR_WORDS, FieldError
from ingest.replay.run import Refusal, Replay
from ingest.replay.survey import timed_rows

SHOWN_SENSORS = 5
SHOWN_COLUMNS = 12
ID = re.compile(SENSOR_ID.removesuffix("$"))


@dataclass(slots=True)
class _Seen:
    """The values of one metric."""

    count: int = 0
    lowest: float = inf
    highest: float = -inf
    outside: int = 0


@dataclass(slots=True)
class Checked:
    """What a whole file would bring: rows, readings, and refusals by rule."""

    rows: int = 0
    filtered: int = 0
    bad: int = 0
    readings: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    sensors: Counter[str] = field(default_factory=Counter)
    metrics: dict[str, _Seen] = field(default_factory=dict)
    example: tuple[int, str, datetime] | None = None


class Check:
    """Reads a whole file as a replay would, and sends nothing."""

    def __init__(
        self, replay: Replay, stream: Stream, now: datetime, on_refused: Callable[[Refusal], None]
    ) -> None:
        self._replay = replay
        self._stream = stream
        self._latest = now + MAX_FUTURE
        self._spans = {m.name: m.fail_span for m in stream.metrics}
        self._on_refused = on_refused
        self.found = Checked()

    def run(self, shift: timedelta) -> Checked:
        """Return what a replay would send, its times moved by ``shift``."""
        plan, found = self._replay.plan, self.found
        for row in timed_rows(self._replay.table, plan, self._replay.survey()):
            found.rows += 1
            if row.at is None:
                found.bad += 1
                self._refuse(row.line, "", row.error or FieldError(None, "*", "time", "no time"))
            elif not plan.keeps(row.cells):
                found.filtered += 1
            else:
                text = " ".join(row.cells[c].strip() for c in plan.time.columns)
                found.example = found.example or (row.line, text, row.at)
                before = found.refused.total()
                for sensor, metrics in self._replay.reader.readings(row.cells):
                    self._count(row.line, sensor, row.at + shift, metrics)
                found.bad += found.refused.total() > before
        return found

    def _count(
        self, line: int, sensor: str, at: datetime, metrics: dict[str, float] | FieldError
    ) -> None:
        if isinstance(metrics, FieldError):
            self._refuse(line, sensor, metrics)
            return
        if error := self._fault(sensor, at):
            self._refuse(line, sensor, error)
            return
        self.found.readings += 1
        self.found.sensors[sensor] += 1
        for name, value in metrics.items():
            low, high = self._spans[name]
            seen = self.found.metrics.setdefault(name, _Seen())
            seen.count += 1
            seen.lowest, seen.highest = min(seen.lowest, value), max(seen.highest, value)
            seen.outside += not low <= value <= high

    def _fault(self, sensor: str, at: datetime) -> FieldError | None:
        """Return what the gateway would refuse of a reading by its sensor or its time."""
        if not ID.fullmatch(sensor):
            return FieldError(None, "sensor", "sensor", f"{sensor[:64]!r}: {SENSOR_WORDS}")
        if at > self._latest:
            return FieldError(None, "observed_at", "future", f"{at:%Y-%m-%d %H:%M} lies ahead")
        if not EARLIEST <= at < LATEST:
            return FieldError(None, "observed_at", "range", "before 1970 or after 2262")
        return None

    def _refuse(self, line: int, sensor: str, error: FieldError) -> None:
        self.found.refused[error.rule] += 1
        self._on_refused(Refusal(line, sensor, error))

    def text(self) -> Iterator[str]:
        """Yield how the file was read and what is in it, line by line."""
        found, table, plan = self.found, self._replay.table, self._replay.plan
        survey = self._replay.survey()
        unused = ", ".join(table.unused[:SHOWN_COLUMNS]) or "none"
        more = " …" if len(table.unused) > SHOWN_COLUMNS else ""
        yield f"columns: {', '.join(sorted(plan.columns))}; not used: {unused}{more}"
        yield f"time: {plan.time.format} in {plan.time.zone or 'its own zone'}"
        if found.example:
            line, text, at = found.example
            yield f"  line {line}: {text} is {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        first, last = survey.span
        yield f"  from {first:%Y-%m-%dT%H:%M:%SZ} to {last:%Y-%m-%dT%H:%M:%SZ}, {survey.order}"
        good = found.rows - found.filtered - found.bad
        yield f"rows: {found.rows}: {good} good, {found.bad} bad, {found.filtered} left out"
        names = ", ".join(list(found.sensors)[:SHOWN_SENSORS])
        more = " …" if len(found.sensors) > SHOWN_SENSORS else ""
        count = len(found.sensors)
        sensors = "sensor" if count == 1 else "sensors"
        yield f"readings: {found.readings} of {count} {sensors} ({names}{more})"
        for metric in self._stream.metrics:
            if seen := found.metrics.get(metric.name):
                low, high = self._spans[metric.name]
                odd = f"; {seen.outside} outside {low:g} to {high:g}" if seen.outside else ""
                span = f"{seen.lowest:g} to {seen.highest:g} {metric.unit}"
                yield f"  {metric.name}: {seen.count} values, {span}{odd}"
