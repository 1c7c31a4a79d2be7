"""A platform may run some of the declared systems only."""

import os
import subprocess
import sys

import pytest

from catalog.declared import DeclarationError, system_folders


def chosen(monkeypatch: pytest.MonkeyPatch, names: str) -> list[str]:
    monkeypatch.setenv("CITYOPS_SYSTEMS", names)
    return [folder.name for folder in system_folders.__wrapped__()]


def test_without_a_choice_all_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"water", "gas", "traffic"} <= {*chosen(monkeypatch, "")}


def test_the_chosen_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, "water, gas,") == ["gas", "water"]


def test_one_that_is_not_declared_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeclarationError, match="CITYOPS_SYSTEMS: no system 'tea'; known: "):
        chosen(monkeypatch, "water,tea")


def checked(names: str) -> subprocess.CompletedProcess[str]:
    read = [sys.executable, "-m", "catalog", "check-streams"]
    env = os.environ | {"CITYOPS_SYSTEMS": names}
    return subprocess.run(read, env=env, capture_output=True, text=True, check=False)


def test_the_declarations_of_some_hold_without_those_they_do_not_name() -> None:
    done = checked("environment,grid,water")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "waterlogging" in done.stdout
    assert "traffic_flow" not in done.stdout


def test_those_that_a_chosen_one_needs_are_named() -> None:
    done = checked("water")
    assert done.returncode == 1
    assert "no stream 'feeder'" in done.stdout
