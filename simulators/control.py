"""How commands and the live city meet: two small JSON files in the state folder.

``city-events.json`` holds the scenarios (written by commands), ``city-live.json`` what the live
city is and has taken up (written by it every second). Each is replaced whole, never half written.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from simulators.core.events import Event

EVENTS, LIVE, LOCK = "city-events.json", "city-live.json", "city-events.lock"
FORGET_S = 8 * 86_400
"""Events older than this no longer act on anything (rivers remember five days)."""


class LiveState(msgspec.Struct, frozen=True):
    """What the live city says of itself; ``city_s`` is its own time, epoch seconds."""

    pid: int
    seed: int
    speed: float
    city_s: float
    written_at: datetime
    events: list[str]


class Control:
    """Both files of one state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def events_path(self) -> Path:
        """Where the scenarios are."""
        return self._folder / EVENTS

    def events(self) -> list[Event]:
        """Return the scenarios; none when there is no file. ValueError when it is broken."""
        try:
            return msgspec.json.decode(self.events_path.read_bytes(), type=list[Event])
        except FileNotFoundError:
            return []
        except msgspec.DecodeError as error:
            raise ValueError(f"{self.events_path}: {error}; remove the file") from None

    def add(self, event: Event) -> None:
        """Add a scenario and forget those long past."""
        with self._locked():
            kept = [e for e in self.events() if e.end > event.start - FORGET_S]
            self._write(self.events_path, [*kept, event])

    def cancel(self, event_id: str, at_s: float) -> None:
        """Call a scenario off at a city time (epoch s)."""
        with self._locked():
            changed = [
                msgspec.structs.replace(e, cancelled_at=at_s) if e.id == event_id else e
                for e in self.events()
            ]
            self._write(self.events_path, changed)

    def live(self) -> LiveState | None:
        """Return what the live city last said; None when it never has."""
        try:
            return msgspec.json.decode((self._folder / LIVE).read_bytes(), type=LiveState)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def say_live(self, state: LiveState) -> None:
        """Replace what the live city says of itself."""
        self._write(self._folder / LIVE, state)

    def _write(self, path: Path, value: object) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}.new")
        fresh.write_bytes(msgspec.json.encode(value))
        fresh.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
