"""The status table: servers that are not ours are asked too, and who is unwell is named."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from deploy import status, supervisor
from deploy.__main__ import app
from deploy.memory import memory_mb
from deploy.paths import Layout
from deploy.ports import LOOPBACK, free_port
from deploy.status import Row, rows, table
from service.disk import GIB, Disk


def test_given_servers_that_do_not_answer_are_unwell_and_say_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    at = f"{LOOPBACK}:{free_port()}"
    address = {"CITYOPS_KAFKA": at, "CITYOPS_DSN": f"postgresql://c:secret@{at}/c"}
    layout.env_file.write_text(json.dumps(address))
    sink: dict[str, Any] = {"name": "sink", "statename": "RUNNING", "now": 9, "start": 2, "pid": 0}
    monkeypatch.setattr(supervisor, "states", lambda _: {"sink": sink})
    monkeypatch.setattr(status, "health", lambda *_: {"healthy": True, "lag": 3})
    found = {row.name: row for row in rows(layout)}
    assert list(found) == ["kafka", "postgres", "sink"]
    assert (found["kafka"].well, found["kafka"].reason) == (False, f"no answer at {at}")
    assert (found["postgres"].well, found["postgres"].reason) == (False, f"no answer at {at}")
    assert (found["sink"].well, found["sink"].uptime_s) == (True, 7)


@pytest.mark.parametrize("command", ["status", "env", "logs"])
def test_where_nothing_runs_a_command_says_so_and_fails(tmp_path: Path, command: str) -> None:
    assert rows(Layout(tmp_path)) == []
    done = CliRunner().invoke(app, [command], env={"CITYOPS_STATE_DIR": str(tmp_path)})
    assert done.exit_code == 1
    assert done.output.startswith("cityops: no")


def test_columns_stand_below_each_other() -> None:
    out = Console(width=100, file=io.StringIO(), record=True)
    far = Row("kafka", False, "no answer at broker:9092", {})
    near = Row("sink", True, "", {"lag": 12, "rows_per_s": 14.5}, 3600, 93.4)
    out.print(table([far, near]))
    lines = [line for line in out.export_text().splitlines() if "kafka" in line or "sink" in line]
    assert "✗ no answer at broker:9092" in lines[0]
    assert "✓ well" in lines[1]
    assert lines[0].index("✗") == lines[1].index("✓")
    assert lines[0].rindex("–") == lines[1].rindex("B")
    assert {"12", "14.5", "3600", "93"} <= set(lines[1].split())


def test_a_disk_that_fills_is_a_row_of_its_own_and_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, full = Layout(tmp_path), [Disk(tmp_path, 20 * GIB, GIB // 10)]
    monkeypatch.setattr(supervisor, "states", lambda _: {})
    monkeypatch.setattr(status, "rows", lambda _: [Row("sink", True, "", {})])
    monkeypatch.setattr("deploy.__main__.rows", status.rows)
    monkeypatch.setattr(status, "disks", lambda _: full)
    (row,) = status.disk_rows(layout)
    assert (row.name, row.well) == ("disk", False)
    env = {"CITYOPS_STATE_DIR": str(tmp_path), "COLUMNS": "80"}
    done = CliRunner().invoke(app, ["status"], env=env)
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert f"✗ disk: 0.1 of 20.0 GiB free at {tmp_path}"[:40] in said
    monkeypatch.setattr(status, "disks", lambda _: [Disk(tmp_path, 20 * GIB, 9 * GIB)])
    assert CliRunner().invoke(app, ["status"], env=env).exit_code == 0


def test_a_long_reason_stands_whole_below_the_table() -> None:
    out = Console(width=80, file=io.StringIO(), record=True)
    why = "KafkaTimeoutError: Failed to get offsets by timestamps"
    out.print(table([Row("sink", False, why, {"lag": 1, "rows_per_s": 2.5}, 3600, 93.4)]))
    assert f"✗ sink: {why}" in out.export_text()


def test_what_late_readings_did_is_told_of_all_sinks_and_workers() -> None:
    out = Console(width=100, file=io.StringIO(), record=True)
    sinks = [
        Row(name, True, "", {"details": {"windows_corrected": 2}}) for name in ("sink", "sink-2")
    ]
    worker = Row("worker", True, "", {"details": {"readings_too_late": 5}})
    out.print(table([*sinks, worker, Row("kafka", True, "", {})]))
    assert "late readings: 4 windows corrected, 5 too late to count" in out.export_text()


def test_memory_counts_what_a_process_has_started() -> None:
    hold = "held = bytearray(40_000_000); print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    line = [sys.executable, "-c", parent]
    child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout and child.stdout.readline() == b"\n"
    assert 40 < memory_mb(child.pid) < 200
    assert memory_mb(os.getpid()) > memory_mb(child.pid)
    child.communicate(b"\n", timeout=20)
    assert memory_mb(child.pid) == 0
