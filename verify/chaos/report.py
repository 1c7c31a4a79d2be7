"""The report of a chaos run: JSON for machines, Markdown for people.

``python -m verify.chaos.report`` puts the tables of the last run into docs/promises.md.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.report import write_between
from deploy.paths import ROOT
from verify.chaos.faults import FAULTS, PARTS
from verify.chaos.run import Outcome
from verify.chaos.stack import Stack

FOLDER = Path(".cityops/chaos")
PAGE = ROOT / "docs/promises.md"


@dataclass
class Report:
    """What was struck, what came of it, and which guards' absence was noticed."""

    seed: int
    issued: dict[str, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    controls: dict[str, list[str]] = field(default_factory=dict)
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="minutes"))
    took_s: float = 0.0
    loads: list[float] = field(default_factory=list)
    """Load average of the machine before each fault."""

    def __post_init__(self) -> None:
        self._begun = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """Keep what came of a fault."""
        self.outcomes.append(outcome)
        self.loads.append(round(os.getloadavg()[0], 1))

    def count(self, stack: Stack) -> None:
        """Add up what was issued on a platform."""
        ledger = stack.ledger
        found = Counter(self.issued) + ledger.sent
        found["requests"] += len(ledger.answers)
        found["requests without an answer"] += ledger.count(0, 0.0)
        found["readings accepted"] += len(ledger.accepted)
        found["readings refused"] += len(ledger.refused)
        found["commit replies lost"] += stack.to_database.lost
        self.issued = dict(found)

    def good(self) -> bool:
        """Tell whether nothing was wrong, and the judge noticed each guard that was missing."""
        return all(self.outcomes) and all(self.controls.values())

    def write(self, folder: Path) -> None:
        """Write ``chaos.json`` and ``chaos.md``."""
        self.took_s = round(time.monotonic() - self._begun)
        folder.mkdir(parents=True, exist_ok=True)
        body: dict[str, Any] = asdict(self) | {"good": self.good()}
        (folder / "chaos.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
        (folder / "chaos.md").write_text(self.markdown())

    def markdown(self) -> str:
        """Return the report as a page."""
        wrong = [text for outcome in self.outcomes for text in outcome.wrong]
        lines = [f"# Chaos run, seed {self.seed}", "", self.tables(), ""]
        lines += [f"    {line}" for text in wrong for line in text.split("\n")]
        return "\n".join(lines).rstrip() + "\n"

    def tables(self) -> str:
        """Return verdict, counts and tables, faults in the order of their rows."""
        load = sum(self.loads) / max(1, len(self.loads))
        issued = ", ".join(f"{count:,} {name}".replace(",", " ") for name, count in _sorted(self))
        lines = [
            f"Seed {self.seed}, {self.at}, {self.took_s / 60:.0f} min, two cores at a load of"
            f" {load:.1f} on average: **{'kept' if self.good() else 'broken'}**.",
            f"Issued: {issued or 'nothing'}.",
            "",
            "| row | fault | rows again, s | worker again, s | seen meanwhile | judge |",
            "|---|---|---|---|---|---|",
            *sorted(_lines(self.outcomes), key=_first_row),
        ]
        if self.controls:
            lines += ["", "| guard taken out | noticed by |", "|---|---|"]
            lines += [
                f"| `{guard}` | {hops[0].split(chr(10))[0] if hops else '**not noticed**'} |"
                for guard, hops in self.controls.items()
            ]
        return "\n".join(lines)


def _sorted(report: Report) -> list[tuple[str, int]]:
    return sorted(report.issued.items(), key=lambda item: -item[1])


def _lines(outcomes: list[Outcome]) -> Iterator[str]:
    rows = {fault.name: ", ".join(map(str, fault.rows)) for fault in (*FAULTS, *PARTS)}
    for outcome in outcomes:
        for n, name in enumerate(outcome.faults):
            seconds = [_seconds(s, n) for s in (outcome.stored_s, outcome.judged_s)]
            seen = outcome.seen[n] if n < len(outcome.seen) else {}
            shown = "; ".join(f"{what} {value}" for what, value in seen.items()) or "–"
            verdict = "**broken**" if outcome.wrong else "kept"
            yield f"| {' | '.join((rows[name], name, *seconds, shown, verdict))} |"


def _first_row(line: str) -> int:
    return int(line.strip("| ").partition(" ")[0].rstrip(","))


def _seconds(values: list[float], n: int) -> str:
    return f"{values[n]:.1f}" if n < len(values) else "never"


def publish(file: Path, page: Path = PAGE) -> None:
    """Put the tables of a run into a page, between ``<!-- chaos -->`` and its end."""
    body = json.loads(file.read_text())
    body.pop("good")
    outcomes = [Outcome(**outcome) for outcome in body.pop("outcomes")]
    write_between(page, "chaos", Report(**body, outcomes=outcomes).tables())


if __name__ == "__main__":
    publish(FOLDER / "chaos.json")
