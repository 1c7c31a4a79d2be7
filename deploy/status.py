"""How the running platform is: one row per process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from deploy import grafana, ports, supervisor, vitals
from deploy.paths import Layout


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one process."""

    name: str
    state: str
    well: bool
    reason: str
    health: dict[str, Any]
    uptime_s: int
    memory_mb: float


def health(layout: Layout, name: str) -> dict[str, Any]:
    """Return what a process says of itself; empty when it does not answer."""
    known = ports.load(layout.ports_file)
    if name == "grafana":
        return grafana.health(known[name])
    try:
        return vitals.ask(known.get(f"{name}-health"))
    except ValueError:
        return {}


def rows(layout: Layout) -> list[Row]:
    """Return one row per supervised process; empty when nothing runs."""
    return [_row(layout, info) for info in supervisor.states(layout).values()]


def _row(layout: Layout, info: dict[str, Any]) -> Row:
    name, running = info["name"], info["statename"] == "RUNNING"
    server = name in ("kafka", "postgres")
    said = {} if server else health(layout, name)
    well = running and (server or bool(said.get("healthy")))
    reason = said.get("reason") or ("" if well else info["spawnerr"] or info["statename"].lower())
    up = info["now"] - info["start"] if running else 0
    return Row(name, info["statename"], well, reason, said, up, _memory_mb(info["pid"]))


def table(found: list[Row]) -> Table:
    """Return the rows as a table: state in words, units in the headings."""
    made = Table("process", "health", "lag", "rows/s", "newest reading", "up", "memory")
    for row in found:
        said = row.health
        made.add_row(
            row.name,
            "✓ well" if row.well else f"✗ {row.reason}",
            _shown(said.get("lag")),
            _shown(said.get("rows_per_s")),
            _age(said.get("newest_observed_at")),
            f"{row.uptime_s} s",
            f"{row.memory_mb:.0f} MB",
        )
    return made


def line(found: list[Row]) -> str:
    """Return the state in one line for the foreground of `make run`."""
    by_name = {row.name: row for row in found}
    unwell = [row.name for row in found if not row.well]
    sink = by_name["sink"].health if "sink" in by_name else {}
    state = f"✗ unwell: {', '.join(unwell)}" if unwell else f"✓ {len(found)} processes well"
    rate = _shown(sink.get("rows_per_s"))
    return f"{state} · {rate} rows/s · newest {_age(sink.get('newest_observed_at'))}"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _age(moment: str | None) -> str:
    if not moment:
        return "–"
    age = datetime.now(UTC) - datetime.fromisoformat(moment)
    return f"{max(0.0, age.total_seconds()):.0f} s ago"


def _memory_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(found[0].split()[1]) / 1024 if found else 0.0
