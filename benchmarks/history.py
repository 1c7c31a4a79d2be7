"""What history costs: days of all streams made, loaded, counted, weighed and asked for.

``python -m benchmarks history`` prints readings a second and CPU of both halves, bytes per reading
of readings, minutes and rollups, and how long the panels' queries take on what was loaded.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import psycopg
import pyarrow as pa

from benchmarks.measure import Meter
from benchmarks.stand import Place, Stand, open_place
from catalog.registry import streams
from dashboards.measure import RANGES, measure
from deploy.paths import ROOT
from storage.tables import ROLLUPS, aggregates_table, readings_table, rollup_table

REPEATS = 3


def run(stand: Stand, days: float, sensors: int) -> dict[str, Any]:
    """Measure both halves; RuntimeError when a row of the files is not in the tables."""
    with open_place(stand) as place:
        folder = stand.folder / "history"
        made = _timed(place, {}, "simulators", "backfill", "--days", days, "--sensors", sensors,
                      "--out", folder)  # fmt: skip
        counts = {path.stem: _rows(path) for path in folder.iterdir()}
        made |= {"file_bytes": sum(path.stat().st_size for path in folder.iterdir())}
        postgres = {"postgres": stand.servers.database.pid}
        loaded = _timed(place, postgres, "storage", "load", folder)
        readings = sum(counts.values())
        with psycopg.connect(place.dsn, autocommit=True) as conn:
            _check(conn, counts)
            conn.execute("VACUUM ANALYZE")
            size = _sizes(conn)
        return {
            "days": days,
            "sensors": sensors,
            "readings": readings,
            "backfill": _per_reading(made, readings),
            "load": _per_reading(loaded, readings),
            "rows": {kind: rows for kind, (rows, _) in size.items()},
            "bytes_per_reading": {k: round(b / readings, 1) for k, (_, b) in size.items()},
            "panel_ms": _panels(place.dsn),
            "load_average": round(os.getloadavg()[0], 1),
        }


def _timed(place: Place, pids: Mapping[str, int], room: str, *arguments: object) -> dict[str, Any]:
    """Run one command; return its seconds and the CPU seconds of it and of the servers."""
    line = [sys.executable, "-m", room, *map(str, arguments)]
    begun = time.monotonic()
    child = subprocess.Popen(line, env=place.environment(), cwd=ROOT, stderr=subprocess.DEVNULL)
    with Meter({room: child.pid, **pids}) as meter:
        code = child.wait()
    if code:
        raise RuntimeError(f"{' '.join(line)} left with code {code}")
    return {"seconds": time.monotonic() - begun, "costs": meter.costs}


def _per_reading(done: dict[str, Any], readings: int) -> dict[str, Any]:
    costs, millions = done["costs"], readings / 1e6
    given = {"file_bytes_per_reading": done.get("file_bytes", 0) / readings}
    return {
        "seconds": round(done["seconds"], 1),
        "readings_per_s": round(readings / done["seconds"]),
        "cpu_s_per_million": {name: round(c.cpu_s / millions, 2) for name, c in costs.items()},
        "peak_mb": {name: round(c.peak_mb) for name, c in costs.items()},
        **{name: round(value, 1) for name, value in given.items() if value},
    }


def _rows(path: Path) -> int:
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        return sum(batch.num_rows for batch in reader)


def _check(conn: psycopg.Connection, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        row = conn.execute(f"SELECT count(*) FROM {readings_table(name)}".encode()).fetchone()
        if row != (count,):
            raise RuntimeError(f"{name}: {count} readings in the file, {row} in the table")


def _sizes(conn: psycopg.Connection) -> dict[str, tuple[int, int]]:
    """Return rows and bytes, indexes included, of each kind of table of all streams."""
    kinds = {"readings": readings_table, "minutes": aggregates_table}
    found = {}
    for kind, table in kinds.items():
        found[kind] = _size(conn, [table(name) for name in streams()])
    tables = [rollup_table(kind, name) for kind in ROLLUPS for name in streams()]
    return found | {"rollups": _size(conn, tables)}


def _size(conn: psycopg.Connection, tables: list[str]) -> tuple[int, int]:
    rows = bytes_ = 0
    for table in tables:
        found = conn.execute(
            f"SELECT (SELECT count(*) FROM {table}), hypertable_size('{table}')".encode()
        ).fetchone()
        rows, bytes_ = rows + (found or (0, 0))[0], bytes_ + (found or (0, 0))[1]
    return rows, bytes_


def _panels(dsn: str) -> dict[str, dict[str, Any]]:
    """Return the 95th percentile of all queries of all pages by range, and the slowest page's."""
    pages = list(measure(dsn, datetime.now(UTC), repeats=REPEATS, lang="en"))
    found = {}
    for length in RANGES:
        runs = [ms for page in pages for ms in page.runs_ms[length]]
        worst = max(pages, key=lambda page: page.p95_ms(length))
        found[length] = {
            "p95": round(quantiles(runs, n=20, method="inclusive")[-1], 1),
            "slowest_page_p95": round(worst.p95_ms(length), 1),
            "slowest_page": worst.page.uid,
        }
    return found
