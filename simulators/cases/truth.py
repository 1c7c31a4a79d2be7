"""The truth of simulated cases, apart from the platform: what was there, what was done about it."""

from pathlib import Path
from typing import Literal

import msgspec

from simulators.cases.world import Problem

What = Literal["reported", "refused", "botched", "mended", "not_there"]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line; ``at`` is simulated epoch seconds, ``case`` 0 for a report that was refused."""

    what: What
    at: float
    case: int = 0
    key: str = ""
    subclass: str = ""
    exists: bool = True
    botched: bool = False
    misjudged: bool = False


class CaseTruth:
    """What is known of the cases that were made here; read again when a simulator starts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.by_case: dict[int, Line] = {}
        self.keys: set[str] = set()
        self.reworked: set[int] = set()
        if path.exists():
            decoder = msgspec.json.Decoder(Line)
            with path.open("rb") as lines:
                for line in lines:
                    self._take(decoder.decode(line))

    def write(self, line: Line) -> None:
        """Append a line, and know it."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        self._take(line)

    def problem(self, case: int) -> Problem | None:
        """Return the problem behind a case; None for one that was not made here."""
        line = self.by_case.get(case)
        if line is None:
            return None
        return Problem(
            key=line.key,
            at_s=line.at,
            subclass=line.subclass,
            lon=0.0,
            lat=0.0,
            source="",
            exists=line.exists,
            botched=line.botched,
            misjudged=line.misjudged,
        )

    def _take(self, line: Line) -> None:
        if line.what == "reported":
            self.by_case[line.case] = line
        if line.what in ("reported", "refused"):
            self.keys.add(line.key)
        if line.what == "botched":
            self.reworked.add(line.case)
