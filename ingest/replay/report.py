"""What became of a file's rows: counts, the first lines of every reason, all refusals in a file."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.replay.run import Refusal
from ingest.replay.state import Progress

SHOWN_LINES = 5


class Report:
    """Keeps the first line numbers of every reason and writes all refusals to a file."""

    def __init__(self) -> None:
        self.lines: dict[str, list[int]] = {}
        self.example: dict[str, str] = {}
        self._write: Callable[[Refusal], None] = lambda _: None

    def add(self, refusal: Refusal) -> None:
        """Take note of one refused reading."""
        error = refusal.error
        self.example.setdefault(error.rule, f"{error.field}: {error.detail}")
        lines = self.lines.setdefault(error.rule, [])
        if len(lines) < SHOWN_LINES:
            lines.append(refusal.line)
        self._write(refusal)

    @contextmanager
    def writing(self, path: Path | None) -> Iterator[None]:
        """Append refusals to the CSV file ``path`` meanwhile."""
        if path is None:
            yield
            return
        with path.open("a", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            if not file.tell():
                out.writerow(["line", "sensor", "field", "rule", "detail"])
            self._write = lambda r: out.writerow(
                [r.line, r.sensor, r.error.field, r.error.rule, r.error.detail]
            )
            yield

    def text(self, done: Progress) -> Iterator[str]:
        """Yield the report, line by line."""
        yield f"{done.rows} rows read, {done.filtered} left out by the map"
        yield f"{done.accepted} readings accepted, {sum(done.refused.values())} refused"
        yield from self.reasons(done.refused)

    def reasons(self, refused: dict[str, int]) -> Iterator[str]:
        """Yield each rule with its count, its first lines and an example."""
        for rule, count in sorted(refused.items()):
            where = ", ".join(map(str, self.lines.get(rule, ()))) or "in an earlier run"
            yield f"  {rule}: {count} (line {where}{' …' if count > SHOWN_LINES else ''})"
            if example := self.example.get(rule):
                yield f"    {example}"
