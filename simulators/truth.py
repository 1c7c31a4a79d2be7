"""Ground truth: what was done to the data, as JSON lines, so that detection can be scored."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import msgspec

Kind = Literal[
    "missing", "stuck", "spike", "late", "duplicate", "out_of_order", "poison", "scenario"
]
Hidden = Literal["", "small", "unsent", "behind", "zero", "short", "sound", "in_time"]
HIDDEN: dict[Hidden, str] = {
    "small": "a spike that the end of the span cuts to less than its metric's spike limit",
    "unsent": "a spike in a reading that was never sent",
    "behind": "a spike in a reading that came after newer ones: no next one shows it alone",
    "zero": "stuck at zero where zero is the rule (a dry road, an empty pipe)",
    "short": "stuck for less than the time that the metric stands still by nature",
    "sound": "stuck at what the sound sensor would have said all the time",
    "in_time": "sent late, but its sensor's newest reading is not ahead by more than the lateness",
}
"""Why some faults cannot be seen in principle."""


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault. Times are epoch seconds of city time; ``until`` ends a stuck value or scenario.

    ``delay_s`` is how late a reading was sent, ``beyond`` whether that is past the lateness.
    ``shows_at`` is from when on a stuck value can be told from a steady one; ``hidden`` says why
    nobody can see the fault (``HIDDEN``).
    """

    kind: Kind
    stream: str
    at: float
    sensor: str = ""
    metric: str = ""
    until: float | None = None
    value: float | None = None
    delay_s: float | None = None
    beyond: bool = False
    shows_at: float | None = None
    hidden: Hidden = ""
    name: str = ""


class TruthFile:
    """Appends labels; without a path it forgets them."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[bytes] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")

    def write(self, labels: list[Label]) -> None:
        """Append and flush."""
        if self._file and labels:
            self._file.write(b"".join(msgspec.json.encode(label) + b"\n" for label in labels))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def read_truth(path: Path) -> Iterator[Label]:
    """Yield the labels of a truth file, a repeat (the city was started again) only once."""
    seen: set[Label] = set()
    decoder = msgspec.json.Decoder(Label)
    with path.open("rb") as lines:
        for line in lines:
            label = decoder.decode(line)
            if label not in seen:
                seen.add(label)
                yield label
