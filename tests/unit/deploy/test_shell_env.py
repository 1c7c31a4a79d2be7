"""Addresses that `make env` left in a shell lead no other start astray."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import shell_env, supervisor
from deploy.__main__ import app
from deploy.paths import Layout

ADDRESSES = {
    "CITYOPS_KAFKA": "127.0.0.1:9092",
    "CITYOPS_KAFKA_USER": "shell",
    "CITYOPS_KAFKA_PASSWORD_FILE": "/somewhere/kafka-shell",
    "CITYOPS_DSN": "postgresql://cityops:s e'cret@127.0.0.1/cityops",
    "CITYOPS_GATEWAY": "http://127.0.0.1:8600",
    "CITYOPS_CONSOLE": "http://127.0.0.1:8700",
    "CITYOPS_API_KEY": "ck_x",
    "CITYOPS_GRAFANA": "http://127.0.0.1:3000",
}


def shell(layout: Layout) -> dict[str, str]:
    """Return the variables of a shell that has evaluated what `make env` prints."""
    script = f"{shell_env.exports(layout, ADDRESSES)}\nenv -0"
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, check=True)
    return dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if entry)


def test_ones_own_are_dropped_without_a_word(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment = shell(layout)
    assert ADDRESSES.items() <= environment.items()
    assert shell_env.forget(environment, layout) == ""
    assert not [name for name in environment if name.startswith("CITYOPS_")]


def test_those_of_another_checkout_are_dropped_and_named(tmp_path: Path) -> None:
    environment = shell(Layout(tmp_path / "other"))
    said = shell_env.forget(environment, Layout(tmp_path))
    assert str(tmp_path / "other") in said
    assert not [name for name in environment if name.startswith("CITYOPS_")]


def test_addresses_that_were_named_by_hand_stay(tmp_path: Path) -> None:
    environment = dict(ADDRESSES)
    assert shell_env.forget(environment, Layout(tmp_path)) == ""
    assert environment == ADDRESSES


def test_every_address_that_is_printed_is_forgotten_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    layout.env_file.write_text(json.dumps(ADDRESSES))
    monkeypatch.setattr(supervisor, "running_pid", lambda _: 1)
    done = CliRunner().invoke(app, ["env"], env={"CITYOPS_STATE_DIR": str(tmp_path)})
    printed = {line.split()[1].partition("=")[0] for line in done.stdout.splitlines()}
    assert printed == {*ADDRESSES, shell_env.MARK}
    assert printed <= {*shell_env.NAMES, shell_env.MARK}


@pytest.mark.parametrize("command", ["up", "setup"])
def test_a_start_that_asks_for_external_servers_is_told_that_these_do_not_count(
    tmp_path: Path, command: str
) -> None:
    given = shell(Layout(tmp_path / "other"))
    env = {n: v for n, v in given.items() if n.startswith("CITYOPS_")}
    env |= {"CITYOPS_STATE_DIR": str(tmp_path / "mine"), "CITYOPS_RUNTIME": "external"}
    done = CliRunner().invoke(app, [command], env=env)
    assert done.exit_code == 2
    assert "do not count" in done.output
    assert (command == "up") is (f"in {tmp_path / 'other'} (make env)" in done.stderr)
