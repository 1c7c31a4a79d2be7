"""The report of a chaos run: JSON for machines, Markdown for people."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.faults import FAULTS
from tests.chaos.run import Outcome


@dataclass
class Report:
    """What was struck, what came of it, and which guards' absence was noticed."""

    seed: int
    issued: dict[str, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    controls: dict[str, list[str]] = field(default_factory=dict)

    def good(self) -> bool:
        """Tell whether nothing was wrong, and the judge noticed each guard that was missing."""
        return all(self.outcomes) and all(self.controls.values())

    def write(self, folder: Path) -> None:
        """Write ``chaos.json`` and ``chaos.md``."""
        folder.mkdir(parents=True, exist_ok=True)
        body: dict[str, Any] = asdict(self) | {"good": self.good()}
        (folder / "chaos.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
        (folder / "chaos.md").write_text(self.markdown())

    def markdown(self) -> str:
        """Return the report as a page."""
        rows = {fault.name: ", ".join(map(str, fault.rows)) for fault in FAULTS}
        lines = [f"# Chaos run, seed {self.seed}", "", f"Result: {_word(self.good())}.", ""]
        lines += [f"- {name}: {count}" for name, count in self.issued.items()]
        lines += ["", "| fault | matrix row | rows again, s | worker again, s | judge |"]
        lines += ["|---|---|---|---|---|"]
        for outcome in self.outcomes:
            last = len(outcome.faults) - 1
            for n, name in enumerate(outcome.faults):
                seconds = [_seconds(s, n) for s in (outcome.stored_s, outcome.judged_s)]
                verdict = _word(not outcome.wrong) if n == last else ""
                lines.append(f"| {name} | {rows[name]} | {seconds[0]} | {seconds[1]} | {verdict} |")
        for outcome in self.outcomes:
            lines += ["", *(f"    {line}" for text in outcome.wrong for line in text.split("\n"))]
        if self.controls:
            lines += ["", "| guard taken out | noticed by |", "|---|---|"]
            lines += [
                f"| {guard} | {hops[0].split(chr(10))[0] if hops else '**not noticed**'} |"
                for guard, hops in self.controls.items()
            ]
        return "\n".join(lines).rstrip() + "\n"


def _seconds(values: list[float], n: int) -> str:
    return f"{values[n]:.1f}" if n < len(values) else "never"


def _word(good: bool) -> str:
    return "kept" if good else "**broken**"
