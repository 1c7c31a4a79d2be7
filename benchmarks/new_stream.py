"""From `make new-stream` to a live panel, timed on the running platform.

The platform must have been started with CITYOPS_STREAMS_PATH naming a folder; the scaffolded file
goes there and is taken away at the end (its tables stay, empty of use). Prints seconds since the
scaffold began for each step.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from dashboards.expand import View, panel_queries
from deploy.paths import ROOT, default_layout
from deploy.wait import wait_until

DEADLINE_S = 180.0


def main() -> None:
    """Scaffold, reload, post, and wait for row, window, alert and panel in turn."""
    layout = default_layout()
    address = json.loads(layout.env_file.read_text())
    folder = Path(os.environ["CITYOPS_STREAMS_PATH"])
    name = f"trial_{int(time.time()) % 100_000}"
    begun = time.monotonic()

    def mark(what: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {what}", flush=True)

    try:
        _python("catalog", "new-stream", name, "--folder", str(folder))
        _python("catalog", "check-streams", name)
        mark("scaffolded and checked")
        _python("deploy", "reload")
        mark("taken in by the running platform")
        first = datetime.now(UTC)
        _wait(lambda: _post(address, name, first), mark, "first reading accepted")
        with psycopg.connect(address["CITYOPS_DSN"], autocommit=True) as conn:

            def ask(query: str) -> Callable[[], Any]:
                return lambda: (conn.execute(query.encode()).fetchone() or (None,))[0]

            _wait(ask(f"SELECT count(*) FROM readings_{name}"), mark, "row in the table")
            _wait(
                lambda: _panel(layout.state, address, name, first),
                mark,
                "panel of the metric shows it",
            )
            _wait(ask(f"SELECT count(*) FROM aggregates_{name}"), mark, "one-minute aggregate")
            alert = f"SELECT count(*) FROM episodes WHERE stream = '{name}'"
            _wait(ask(alert), mark, "alert raised")
    finally:
        (folder / f"{name}.py").unlink(missing_ok=True)


def _python(*arguments: str) -> None:
    line = [sys.executable, "-m", *arguments]
    subprocess.run(line, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=300)


def _post(address: dict[str, str], name: str, first: datetime) -> bool:
    readings = [
        {
            "sensor": f"{name}-1",
            "observed_at": (first - timedelta(seconds=age)).isoformat(),
            "level": 95,
        }
        for age in (150, 120, 90, 60, 30, 0)
    ]
    answer = httpx.post(
        f"{address['CITYOPS_GATEWAY']}/v1/streams/{name}/readings",
        json={"readings": readings},
        headers={"Authorization": f"Bearer {address['CITYOPS_API_KEY']}"},
        timeout=30,
    )
    return answer.status_code == 202


def _panel(state: Path, address: dict[str, str], name: str, first: datetime) -> bool:
    """Tell whether the stream's dashboard shows the posted value, asked as Grafana asks."""
    out = state / "trial-grafana"
    board = out / f"dashboards/zh/cityops-stream-{name.replace('_', '-')}.json"
    if not board.exists():
        _python("dashboards", "provision", "--out", str(out), "--dsn", address["CITYOPS_DSN"])
    view = View(first - timedelta(minutes=15), datetime.now(UTC))
    queries = panel_queries(json.loads(board.read_text()), view)
    with psycopg.connect(address["CITYOPS_DSN"]) as conn:
        return any(
            95 in row
            for one in queries
            if one.panel.startswith("测量值")
            for row in conn.execute(one.sql.encode()).fetchall()
        )


def _wait(condition: Callable[[], Any], mark: Callable[[str], None], what: str) -> None:
    wait_until(condition, DEADLINE_S, what, 0.2)
    mark(what)


if __name__ == "__main__":
    main()
