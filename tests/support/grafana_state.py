"""What the tests' Grafana knows."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
PASSWORD = "right"


@dataclass(slots=True)
class State:
    """What this Grafana knows; tests read and spoil it."""

    dsn: str = ""
    version: str = "10.1.5"
    from_files: dict[str, Json] = field(default_factory=dict)
    boards: dict[str, tuple[str, Json]] = field(default_factory=dict)
    folders: dict[str, Json] = field(default_factory=dict)
    permissions: dict[str, list[Json]] = field(default_factory=dict)
    playlists: dict[str, Json] = field(default_factory=dict)
    preferences: Json = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    accounts: list[Json] = field(default_factory=list)
    users: list[Json] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    reloaded: list[str] = field(default_factory=list)
    sick: int = 0
    """How many requests are answered 503 before it is well."""
    asked: list[str] = field(default_factory=list)
