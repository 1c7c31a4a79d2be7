"""Small files with their maps, and what a replay sends of them."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.registry import streams
from ingest.readings import FieldError
from ingest.replay.map import ReplayMap, load_map
from ingest.replay.run import Refusal, Replay
from ingest.replay.state import StateFile, digest

FORM = "%Y-%m-%d %H:%M:%S"
CLOCK = 'format = "%Y-%m-%d %H:%M:%S"\nzone = "Asia/Shanghai"'


class Gateway:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = []

    def send(self, readings: list[dict[str, Any]]) -> list[FieldError]:
        self.stored += readings
        return []


class AtOnce:
    def is_due(self, at: datetime) -> bool:
        return True

    def wait(self, at: datetime) -> None:
        raise AssertionError("nothing to wait for")


@dataclass
class Sent:
    """What a replay sent, what it refused, and the replay."""

    readings: list[dict[str, Any]]
    refused: list[Refusal]
    replay: Replay
    utc: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.utc = [r["observed_at"].removesuffix("+00:00") for r in self.readings]
        self.values = [r["leq_db"] for r in self.readings if "leq_db" in r]

    @property
    def rules(self) -> list[tuple[int, str]]:
        """Line and rule of each refusal."""
        return [(r.line, r.error.rule) for r in self.refused]


def noise_map(
    folder: Path,
    time: str = CLOCK,
    *,
    top: str = "",
    columns: tuple[str, ...] = ("timestamp",),
    value: str = '{ column = "value" }',
    extra: str = "",
    sensor: str = "a1",
) -> ReplayMap:
    """Return a map of one noise sensor, as the cases have it."""
    path = folder / "map.toml"
    path.write_text(
        f'title = "t"\nstream = "noise"\n{top}\n[time]\ncolumns = {list(columns)}\n{time}\n'
        f'[[sensors]]\nid = "{sensor}"\nmetrics.leq_db = {value}\n{extra}\n',
        encoding="utf-8",
    )
    return load_map(path, streams()["noise"])


def replayed(folder: Path, content: str | bytes, plan: ReplayMap, name: str = "f.csv") -> Sent:
    """Return what a replay of the content does."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    refused: list[Refusal] = []
    gateway, replay = (
        Gateway(),
        Replay(path, plan, StateFile(folder, digest(path, plan.model_dump_json())), refused.append),
    )
    list(replay.run(gateway, AtOnce()))
    return Sent(gateway.stored, refused, replay)
