"""The commands for incidents and drills, as people type them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.__main__ import app
from alerts.incident_store import list_incidents
from tests.alerting import Desk, Stub, add_receiver, of_sensor


@pytest.fixture
def shell(desk: Desk, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("CITYOPS_DSN", dsn)
    monkeypatch.setenv("CITYOPS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "240")
    add_receiver(dsn, tmp_path, Stub(9), "crew", channel="exercise")
    return CliRunner()


def said(shell: CliRunner, *words: str, code: int = 0) -> str:
    done = shell.invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.output


def test_incidents_are_listed_shown_and_worked_on(shell: CliRunner, desk: Desk) -> None:
    desk.take(of_sensor("waterlogging", "ponding", "waterlogging-510104-01", severity=1))
    (incident,) = list_incidents(desk.conn)
    assert incident.id in said(shell, "incidents", "list", "--kind", "waterlogging")
    said(shell, "incidents", "ack", incident.id, "--by", "li")
    said(shell, "incidents", "done", incident.id, "pump", "--by", "wang")
    page = said(shell, "incidents", "show", incident.id)
    assert all(word in page for word in ("城市内涝应急预案", "wang", "waterlogging-510104-01"))
    assert "no task fly" in said(shell, "incidents", "done", incident.id, "fly", code=2)


def test_drills_are_planned_shown_and_cancelled(shell: CliRunner) -> None:
    plan = ("drills", "plan", "Flood", "--instruction", "report in", "--in-minutes", "5")
    assert "drill 1 begins" in said(shell, *plan)
    assert "exercise channel" in said(shell, *plan, "--receiver", "duty", code=2)
    assert "planned" in said(shell, "drills", "list")
    assert "Flood" in said(shell, "drills", "show", "1")
    said(shell, "drills", "cancel", "1")
    assert "over" in said(shell, "drills", "list")
