"""The commands for incidents and drills, as people type them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alerts.__main__ import app
from alerts.delivery.receivers import list_receivers
from alerts.incident.queries import list_incidents
from records.__main__ import app as records
from service.postgres import now_of
from storage.audit import entries
from tests.support.alerting import Desk, Stub, add_receiver, add_users, of_sensor, transition


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


def test_what_is_decided_about_incidents_is_told_and_audited(shell: CliRunner, desk: Desk) -> None:
    ponds = ("waterlogging-510104-01", "waterlogging-510105-01")
    desk.take(*(of_sensor("waterlogging", "ponding", pond, severity=2) for pond in ponds))
    one, other = sorted(i.id for i in list_incidents(desk.conn))

    def decide(*words: str, code: int = 0) -> str:
        return said(shell, "incidents", *words, "--by", "li", code=code)

    assert f"confirmed {one}" in decide("confirm", one)
    assert desk.said()[-1] == "confirmed", "told by the command itself, as by the API"
    assert "say why" in decide("end", one, "--note", " ", code=2)
    decide("merge", other, one)
    desk.take(*(of_sensor("waterlogging", "ponding", p, kind="cleared") for p in ponds))
    decide("reopen", one, "--note", "water is back")
    assert desk.said()[-1] == "reopened"
    add_users(desk.conn, "wang")
    decide("assign", one, "wang")
    assert "no user 'crew 2'" in decide("assign", one, "crew 2", code=2)
    decide("comment", one, "pumping")
    decide("end", one, "--note", "dry")
    assert desk.said()[-1] == "resolved"
    assert "no incident none" in decide("confirm", "none", code=2)
    page = said(shell, "incidents", "show", one)
    assert all(word in page for word in ("water is back", "wang", "pumping", "dry"))
    told = [(e.what.removeprefix("incident."), e.who) for e in entries(desk.conn)]
    wanted = ["confirm", "merge", "reopen", "assign", "comment", "resolve"]
    assert told[::-1] == [(act, "li") for act in wanted], "refused acts are not done"
    assert all(e.detail["via"].startswith("shell of ") for e in entries(desk.conn))


def test_a_receiver_is_removed_unless_the_routes_file_names_it(
    shell: CliRunner, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = tmp_path / "routes.toml"
    routes.write_text("fallback = ['crew']\n[route]\nreceivers = ['*']\n")
    monkeypatch.setenv("CITYOPS_ROUTES_FILE", str(routes))
    desk.take(of_sensor("waterlogging", "ponding", "waterlogging-510104-01", severity=1))
    owed = len(desk.said())
    assert "routes file names" in said(shell, "receivers", "remove", "crew", code=2)
    said(shell, "receivers", "disable", "duty", "--reason", "works")
    assert f"{owed} message(s) had not been delivered" in said(shell, "receivers", "remove", "duty")
    assert "no receiver" in said(shell, "receivers", "remove", "duty", code=2)
    assert [r.name for r in list_receivers(desk.conn)] == ["crew"]
    told = [(e.what, e.target, e.detail.get("undelivered")) for e in entries(desk.conn)]
    assert told == [("receiver.remove", "duty", owed), ("receiver.change", "duty", None)]


def test_drills_are_planned_shown_and_cancelled(shell: CliRunner, desk: Desk) -> None:
    def typed(*words: str, code: int = 0) -> str:
        done = shell.invoke(records, list(words))
        assert done.exit_code == code, done.output
        return done.output

    soon = (now_of(desk.conn) + timedelta(minutes=5)).isoformat()
    plan = ("open", "drill", "title=Flood", "instruction=report in", f"starts_at={soon}")
    assert "drill-1 is in state planned" in typed(*plan, "receivers=crew")
    assert "exercise channel" in typed(*plan, "receivers=duty", code=2)
    assert "Flood" in typed("list", "drill")
    assert '"minutes": 30' in typed("show", "drill", "1")
    assert "waits" not in said(shell, "answers", "1")
    typed("act", "drill", "1", "cancel", "--reason", "called_off")
    assert "cancelled" in typed("list", "drill", "--closed")


def test_an_alert_in_doubt_is_confirmed_or_withdrawn(shell: CliRunner, desk: Desk) -> None:
    doubt: dict[str, Any] = {"confidence": "unconfirmed", "reason": "rate"}
    true, wrong = transition(1, **doubt), transition(2, **doubt)
    desk.take(true, wrong)
    said(shell, "confirm", true.episode, "--note", "seen", "--by", "li")
    said(shell, "withdraw", wrong.episode, "--note", "dry", "--by", "li")
    assert "is not in doubt" in said(shell, "confirm", true.episode, "--note", "again", code=2)
    assert "is over" in said(shell, "withdraw", wrong.episode, "--note", "again", code=2)
    done = [(e.who, e.what, e.target) for e in entries(desk.conn, search="alert.")]
    assert done == [("li", "alert.withdraw", wrong.episode), ("li", "alert.confirm", true.episode)]


def test_an_alert_from_elsewhere_is_ended_and_one_of_ours_is_not(
    shell: CliRunner, desk: Desk
) -> None:
    ours, theirs = (
        transition(1),
        transition(2, stream="external", rule="external.disk", metric=None),
    )
    desk.take(ours, theirs)
    assert "rule noise.night ends it" in said(shell, "end", ours.episode, "--note", "x", code=2)
    said(shell, "end", theirs.episode, "--note", "rule deleted", "--by", "li")
    assert desk.said() == ["raised", "raised", "cleared"]
    assert "is over" in said(shell, "end", theirs.episode, "--note", "again", code=2)
    assert "rule deleted" in said(shell, "show", theirs.episode)
    (line,) = entries(desk.conn, search="alert.end")
    assert (line.who, line.target, line.detail["note"]) == ("li", theirs.episode, "rule deleted")
    assert said(shell, "ack", ours.episode).startswith("acknowledged")
    assert said(shell, "ack", ours.episode).startswith("was acknowledged before")
    assert len(entries(desk.conn, search="alert.ack")) == 1
