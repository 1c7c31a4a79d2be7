"""How the running platform is: one row per process, its servers included."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table

from deploy import grafana, ports, supervisor, vitals
from deploy.memory import memory_mb
from deploy.native import kafka, timescale
from deploy.paths import Layout
from deploy.runtime import disks_of, where
from service.disk import disks
from service.kafka_login import Login

LONG = 30
"""So many letters of a reason fit into a terminal of 80 columns."""
NUMBERS = ("lag", "rows/s", "newest reading", "up", "memory")


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one process; servers that are not ours have no uptime and no memory."""

    name: str
    well: bool
    reason: str
    health: dict[str, Any]
    uptime_s: int | None = None
    memory_mb: float | None = None


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
    """Return one row per process, Kafka and PostgreSQL first; empty when nothing runs.

    The two servers are asked wherever they run: here, in containers, or somewhere else.
    """
    found = supervisor.states(layout)
    if not found:
        return []
    asked = _servers(layout)
    elsewhere = [
        Row(name, bool(said["healthy"]), said["reason"], said)
        for name, said in asked.items()
        if name not in found
    ]
    return [*elsewhere, *(_row(layout, info, asked) for info in found.values())]


def _servers(layout: Layout) -> dict[str, dict[str, Any]]:
    """Ask Kafka and PostgreSQL; empty before their addresses are known."""
    if not layout.env_file.exists():
        return {}
    address = json.loads(layout.env_file.read_text())
    bootstrap, dsn = address["CITYOPS_KAFKA"], address["CITYOPS_DSN"]
    return {
        "kafka": _said(kafka.ready(bootstrap, Login.of(address)), bootstrap),
        "postgres": _said(timescale.ready(dsn), where(dsn)),
    }


def _said(answers: bool, at: str) -> dict[str, Any]:
    return {"healthy": answers, "reason": "" if answers else f"no answer at {at}"}


def _row(layout: Layout, info: dict[str, Any], asked: dict[str, dict[str, Any]]) -> Row:
    name, running = info["name"], info["statename"] == "RUNNING"
    if name in ("kafka", "postgres"):
        said = asked.get(name, {"healthy": running})
    else:
        said = health(layout, name)
    well = running and bool(said.get("healthy"))
    silent = "gives no answer" if running else info["spawnerr"] or info["statename"].lower()
    reason = said.get("reason") or ("" if well else silent)
    up = info["now"] - info["start"] if running else 0
    return Row(name, well, reason, said, up, memory_mb(info["pid"]) if info["pid"] else 0.0)


def disk_rows(layout: Layout) -> list[Row]:
    """Return a row for each disk that is full or nearly so."""
    found = disks(disks_of(layout))
    return [Row("disk", False, disk.words(), {}) for disk in found if disk.low]


def disk_words(layout: Layout) -> str:
    """Return how much room the disks have."""
    return "disk: " + "; ".join(disk.words() for disk in disks(disks_of(layout)))


def table(found: list[Row], *more: str) -> Table:
    """Return the rows as a table: state in words, units in the headings; `more` lines below it.

    A reason too long for its column stands whole below the table.
    """
    known = [row.memory_mb for row in found if row.memory_mb is not None]
    made = Table(box=box.SIMPLE_HEAD, caption_justify="left")
    made.caption = "\n".join(
        [
            *(f"✗ {row.name}: {row.reason}" for row in found if _long(row)),
            f"memory of all: {sum(known):.0f} MB, shared pages counted once",
            late(found),
            *more,
        ]
    )
    made.add_column("process", no_wrap=True)
    made.add_column("health", overflow="fold")
    for heading in NUMBERS:
        made.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        said = row.health
        made.add_row(
            row.name,
            "✓ well" if row.well else f"✗ {'see below' if _long(row) else row.reason}",
            _shown(said.get("lag")),
            _shown(said.get("rows_per_s")),
            _age(said.get("newest_observed_at")),
            "–" if row.uptime_s is None else f"{row.uptime_s} s",
            "–" if row.memory_mb is None else f"{row.memory_mb:.0f} MB",
        )
    return made


def _long(row: Row) -> bool:
    return not row.well and len(row.reason) > LONG


def late(found: list[Row]) -> str:
    """Return what late readings did since sinks and workers started."""

    def count(detail: str) -> int:
        return sum((row.health.get("details") or {}).get(detail, 0) for row in found)

    return (
        f"late readings: {count('windows_corrected')} windows corrected,"
        f" {count('readings_too_late')} too late to count"
    )


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
