"""A platform is looked after: what hangs, a start that gave up, backup and restore, its end."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alerts.delivery.vault import open_vault
from deploy import supervisor
from deploy.backup.archive import opened
from deploy.paths import ROOT, Layout
from deploy.process import spawn
from deploy.status import rows
from tests.support.platform import FLOW_S, STREAM, Ledger, Platform, deploy, environment
from tests.support.servers import native_folder, wait_until

HANDBOOK = ROOT / "docs/operations.md"


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_hangs_whole_is_started_again_from_outside(platform: Platform) -> None:
    """SIGSTOP: no thread of it runs, so nothing within it could notice."""
    victims = ("gateway", "worker", "console", "kafka", "postgres")
    before = supervisor.states(platform.layout)
    for victim in victims:
        os.kill(before[victim]["pid"], signal.SIGSTOP)

    def again() -> bool:
        now = supervisor.states(platform.layout)
        return all(now[name]["pid"] not in (0, before[name]["pid"]) for name in victims)

    wait_until(again, 120.0, "all of them started again")
    wait_until(lambda: not platform.unwell(), 2 * FLOW_S, "every process well")
    sent = datetime.now(UTC)
    platform.ledger.post("thawed", 0.01, sent)
    stored = f"SELECT true FROM readings_{STREAM} WHERE sensor = 'thawed' AND observed_at = %s"
    wait_until(lambda: platform.ask(stored, sent), FLOW_S, "a row after the hang")


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_a_start_that_gave_up_is_gone_on_with_and_has_left_its_addresses(
    platform: Platform,
) -> None:
    layout = platform.layout
    assert not layout.starting_file.exists()
    supervisor.stop_processes(layout, ["keep", "receiver"])
    layout.starting_file.touch()
    deploy(layout.state, "up", "--detach")
    assert not platform.unwell()
    assert not layout.starting_file.exists()


def handbook() -> list[str]:
    """Return the handbook's blocks of commands on backup, without their comments."""
    section = HANDBOOK.read_text().partition("## Backup and moving")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return ["\n".join(line.partition("#")[0] for line in block.splitlines()) for block in blocks]


def follow(block: str, state: Path) -> str:
    """Do what a block of the handbook says, for the platform in `state`; return what was said."""
    script = 'set -e\nmake() { command make -o setup "$@"; }\n' + block
    env = environment(state)
    done = subprocess.run(
        ["bash", "-c", script], env=env, cwd=ROOT, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def value(dsn: str, query: str, *parameters: Any) -> Any:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode(), parameters).fetchone()
    return row[0] if row else None


def secret_of_demo(layout: Layout, dsn: str) -> str:
    """Return the demo receiver's secret, opened with the key of this installation."""
    sealed = value(dsn, "SELECT secret FROM receivers WHERE name = 'demo'")
    assert sealed.startswith("fernet:")
    return open_vault(layout.state / "secrets.key").open(sealed)


@dataclass(frozen=True)
class Restored:
    """A platform that the handbook's steps brought back, and what the backup says of the old."""

    layout: Layout
    file: Path
    told: str
    secret: str
    tables: dict[str, int]


@pytest.fixture(scope="module")
def restored(platform: Platform) -> Iterator[Restored]:
    """The old platform is backed up and ended, the new one runs."""
    old = platform.layout
    platform.breach("drowned")
    wait_until(lambda: platform.told("drowned") == 1, FLOW_S, "the alert told")
    platform.ledger.stop.set()
    backup, restore = handbook()
    said = follow(backup, old.state)
    file = Path(re.findall(r"(/\S+\.zip) ", said)[-1])
    with opened(file) as (_, manifest):
        tables = manifest.tables
    secret = secret_of_demo(old, platform.address["CITYOPS_DSN"])
    deploy(old.state, "down")
    with native_folder() as folder:
        new = Layout(folder / "state")
        try:
            told = follow(restore.replace("/path/to/cityops-….zip", str(file)), new.state)
            yield Restored(new, file, told, secret, tables)
        finally:
            if new.state.exists():
                deploy(new.state, "clean")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_handbooks_steps_bring_everything_back_on_a_fresh_stack(restored: Restored) -> None:
    """Counts, a receiver's secret, the login and keys; and the flow goes on."""
    assert f"with {sum(restored.tables.values())} rows" in restored.told
    _look(restored.layout, restored.secret, restored.tables)


def _look(new: Layout, secret: str, tables: dict[str, int]) -> None:
    """The receiver's secret opens, the keys are in force, old rows are there and new ones come."""
    address = json.loads(new.env_file.read_text())
    dsn = address["CITYOPS_DSN"]
    assert secret_of_demo(new, dsn) == secret
    assert value(dsn, f"SELECT count(*) FROM readings_{STREAM}") >= tables[f"readings_{STREAM}"]
    assert value(dsn, "SELECT count(*) FROM audit") >= tables["audit"]
    ledger = Ledger(address["CITYOPS_GATEWAY"], address["CITYOPS_API_KEY"])
    sent = datetime.now(UTC)
    ledger.post("restored", 0.01, sent)
    stored = f"SELECT true FROM readings_{STREAM} WHERE sensor = 'restored' AND observed_at = %s"
    wait_until(lambda: value(dsn, stored, sent), FLOW_S, "a row after the restore")
    windows = f"SELECT count(*) FROM aggregates_{STREAM} WHERE sensor = 'restored'"
    wait_until(lambda: value(dsn, windows), 100.0, "its window")
    # an alert that was open at the backup has ended, and a danger there is told again
    moved = Platform(new, address, ledger)
    state = (
        "SELECT array_agg(status ORDER BY raised_recorded_at) FROM episodes"
        " WHERE sensor = 'drowned' AND rule = 'waterlogging.ponding'"
    )
    assert value(dsn, state) == ["cleared"]
    moved.breach("drowned")
    wait_until(lambda: moved.told("drowned") == 2, FLOW_S, "the new alert told")
    assert value(dsn, state) == ["cleared", "active"]
    refused = "SELECT count(*) FROM dead_letters WHERE topic LIKE %s"
    assert not value(dsn, refused, "%.transitions.%")


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_the_unwell_is_named_a_second_run_says_what_runs_and_ctrl_c_stops_it_all(
    restored: Restored, tmp_path: Path
) -> None:
    layout, said = restored.layout, tmp_path / "said"
    address = json.loads(layout.env_file.read_text())
    wait_until(lambda: all(row.well for row in rows(layout)), FLOW_S, "every process well")
    supervisor.stop_processes(layout, ["keep"])
    lines = deploy(layout.state, "status", code=1).splitlines()
    assert [line.split()[:3] for line in lines if "✗" in line] == [["keep", "✗", "stopped"]]
    assert "==>" in deploy(layout.state, "logs")
    said_of = deploy(layout.state, "env")
    assert f"export CITYOPS_PLATFORM={layout.state}\n" in said_of
    assert f"export CITYOPS_KAFKA={address['CITYOPS_KAFKA']}\n" in said_of
    pids = [info["pid"] for info in supervisor.states(layout).values() if info["pid"]]
    # a test run that was begun in the background ignores SIGINT, and so would all that it starts
    line = ["env", "--default-signal=INT", "make", "-o", "setup", "run"]
    make = spawn("make run", line, said, env=environment(layout.state), cwd=ROOT)
    try:
        wait_until(lambda: "unwell: keep" in said.read_text(), FLOW_S, "the line of `make run`")
        assert "cityops: already running" in said.read_text()
        assert address["CITYOPS_CONSOLE"] in said.read_text()
        make.signal_group(signal.SIGINT)  # what Ctrl-C does
        make.handle.wait(60)
    finally:
        make.stop(signal.SIGKILL)
    assert "cityops: stopping" in said.read_text()
    assert "Traceback" not in said.read_text()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert supervisor.states(layout) == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_restore_puts_aside_what_is_there_only_when_told_and_clean_leaves_nothing(
    restored: Restored,
) -> None:
    state = restored.layout.state
    deploy(state, "down")
    assert "REPLACE=1" in deploy(state, "restore", str(restored.file), code=2)
    deploy(state, "restore", str(restored.file), "--replace")
    assert list(state.glob("before-*/secrets.key"))
    deploy(state, "clean")
    assert not state.exists()
