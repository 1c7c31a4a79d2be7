"""A running platform is looked after: what hangs, a start that gave up, backup and restore."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alerts.delivery.vault import open_vault
from deploy import supervisor
from deploy.backup.archive import opened
from deploy.paths import ROOT, Layout
from tests.support.platform import FLOW_S, STREAM, Ledger, Platform, deploy, environment, running
from tests.support.servers import native_folder, wait_until

HANDBOOK = ROOT / "docs/operations.md"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with native_folder() as folder, running(folder / "state") as made:
        yield made


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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_handbooks_steps_bring_everything_back_on_a_fresh_stack(platform: Platform) -> None:
    """Counts, a receiver's secret, the login and keys; and the flow goes on."""
    old = platform.layout
    platform.breach("drowned")
    wait_until(lambda: platform.told("drowned") == 1, FLOW_S, "the alert told")
    platform.ledger.stop.set()
    backup, restore = handbook()
    said = follow(backup, old.state)
    file = Path(re.findall(r"(/\S+\.zip) ", said)[-1])
    with opened(file) as (_, manifest):
        tables = manifest.tables
    query = "SELECT secret FROM receivers WHERE name = 'demo'"
    secret = open_vault(old.state / "secrets.key").open(
        value(platform.address["CITYOPS_DSN"], query)
    )
    deploy(old.state, "down")
    with native_folder() as folder:
        new = Layout(folder / "state")
        try:
            told = follow(restore.replace("/path/to/cityops-….zip", str(file)), new.state)
            assert f"with {sum(tables.values())} rows" in told
            _look(new, secret, tables)
            deploy(new.state, "down")
            again = deploy(new.state, "restore", str(file), code=2)
            assert "REPLACE=1" in again
            deploy(new.state, "restore", str(file), "--replace")
            assert list(new.state.glob("before-*/secrets.key"))
        finally:
            deploy(new.state, "clean")


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
