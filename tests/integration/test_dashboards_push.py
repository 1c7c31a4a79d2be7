"""``push`` and ``verify`` against a server that speaks Grafana's API over a real database."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from dashboards.__main__ import app
from dashboards.alerting import WATCHES, rule_uid
from dashboards.expand import View
from dashboards.grafana import Grafana, GrafanaError
from dashboards.organisation import permissions, playlists, preferences
from dashboards.push import push
from dashboards.verify import Checked, verify
from tests.support.boards import BY_UID
from tests.support.databases import Databases
from tests.support.grafana_server import grafana_server
from tests.support.grafana_state import PASSWORD, State

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
VIEW = View(NOW - timedelta(hours=6), NOW)
WALL = "cityops-wall"


@pytest.fixture(scope="module")
def migrated(databases: Databases) -> Iterator[str]:
    """Address of a city without data: every query answers, most without rows."""
    with databases.fresh(migrated=True) as dsn:
        yield dsn


@pytest.fixture
def state(migrated: str) -> State:
    """An empty Grafana with our data source and alert rules."""
    return State(dsn=migrated, rules=[rule_uid(watch) for watch in WATCHES])


@pytest.fixture
def url(state: State) -> Iterator[str]:
    """Address of that Grafana."""
    with grafana_server(state) as address:
        yield address


@pytest.fixture
def grafana(url: str) -> Iterator[Grafana]:
    """Client of its administrator."""
    with Grafana(url, password=PASSWORD, wait=lambda _: None) as client:
        yield client


@pytest.fixture
def full(state: State) -> State:
    """That Grafana as it is after a push."""
    state.boards = {
        uid: (f"cityops-{'en' if uid.endswith('-en') else 'zh'}", copy.deepcopy(board))
        for uid, board in BY_UID.items()
    }
    state.permissions = {
        name: copy.deepcopy(permissions()["items"]) for name in ("cityops-zh", "cityops-en")
    }
    state.playlists = {one["uid"]: one for one in playlists()}
    state.preferences = preferences()
    return state


def look(grafana: Grafana, only: str = "*") -> list[Checked]:
    return list(verify(grafana, VIEW, languages=("zh",), only=only, now=lambda: 0.0))


def test_push_makes_everything_and_again_changes_nothing(grafana: Grafana, state: State) -> None:
    first = push(grafana)
    assert first.saved == len(BY_UID)
    assert {uid: board["title"] for uid, (_, board) in state.boards.items()} == {
        uid: board["title"] for uid, board in BY_UID.items()
    }
    assert state.boards[WALL][0] == "cityops-zh"
    assert state.boards["cityops-wall-en"][0] == "cityops-en"
    assert state.permissions["cityops-zh"] == [
        {"role": "Viewer", "permission": 1},
        {"role": "Editor", "permission": 1},
    ]
    assert state.preferences == preferences()
    assert state.reloaded == ["datasources", "dashboards", "alerting"]
    before = copy.deepcopy(state)
    again = push(grafana)
    assert (again.saved, again.same) == (0, len(BY_UID))
    assert state.asked.count("POST /api/dashboards/db") == len(BY_UID)
    assert {board["version"] for _, board in state.boards.values()} == {1}
    assert state.boards == before.boards
    assert state.playlists == before.playlists
    assert [one["name"] for one in state.playlists.values()] == [p["name"] for p in playlists()]


def test_a_wall_gets_an_account_that_only_looks_and_keeps_its_password(
    grafana: Grafana, state: State
) -> None:
    push(grafana, viewer="first")
    push(grafana, viewer="second")
    (wall,) = state.users
    assert (wall["login"], wall["role"], wall["password"]) == ("wall", "Viewer", "first")


def test_only_a_dashboard_that_was_changed_is_saved_again(grafana: Grafana, state: State) -> None:
    push(grafana)
    state.boards[WALL][1]["title"] = "changed by hand"
    again = push(grafana)
    assert (again.saved, again.same) == (1, len(BY_UID) - 1)
    assert state.boards[WALL][1]["title"] == BY_UID[WALL]["title"]


def test_dashboards_from_files_are_left_to_the_files(grafana: Grafana, state: State) -> None:
    state.from_files = {uid: board for uid, board in BY_UID.items() if not uid.endswith("-en")}
    done = push(grafana)
    assert (done.saved, done.from_files) == (len(BY_UID) // 2, len(BY_UID) // 2)


def test_a_newer_grafana_gets_playlists_as_resources(grafana: Grafana, state: State) -> None:
    state.version = "13.2.0"
    for playlist in playlists() * 2:
        grafana.put_playlist(playlist)
    assert {one["metadata"]["resourceVersion"] for one in state.playlists.values()} == {"2"}
    assert set(grafana.playlists()) == {one["name"] for one in playlists()}


@pytest.mark.usefixtures("full")
def test_every_panel_answers(grafana: Grafana) -> None:
    found = look(grafana, "cityops-domain-*")
    assert [one for one in found if one.wrong] == []
    assert len(found) > 50
    assert any("传感器地图" in one.what for one in found)


def _without(name: str) -> Callable[[State], Any]:
    return lambda state: state.boards.pop(name)


def _other_sql(state: State) -> None:
    state.boards[WALL] = (state.boards[WALL][0], copy.deepcopy(state.boards[WALL][1]))
    state.boards[WALL][1]["panels"][0]["targets"][0]["rawSql"] = "SELECT 1"


SPOIL: dict[str, tuple[Callable[[State], Any], str]] = {
    "a dashboard is gone": (_without(WALL), "cityops-wall: is not there"),
    "somebody changed a query": (_other_sql, "cityops-wall: shows other panels"),
    "it lies elsewhere": (
        lambda s: s.boards.update({WALL: ("general", s.boards[WALL][1])}),
        "cityops-wall: lies in folder 'general'",
    ),
    "editors may edit": (
        lambda s: s.permissions["cityops-zh"][1].update(permission=2),
        "folder cityops-zh: Editor has permission 2",
    ),
    "a rule is gone": (lambda s: s.rules.pop(), "alert rules: missing: cityops-"),
    "playlists are gone": (lambda s: s.playlists.clear(), "playlists: missing: "),
    "another home": (lambda s: s.preferences.update(homeDashboardUID=""), "preferences: are "),
}


@pytest.mark.parametrize("case", SPOIL)
def test_verify_names_what_is_wrong(grafana: Grafana, full: State, case: str) -> None:
    spoil, said = SPOIL[case]
    spoil(full)
    wrong = [f"{one.what}: {one.wrong}" for one in look(grafana, WALL) if one.wrong]
    assert len(wrong) == 1 and wrong[0].startswith(said), wrong


def test_verify_shows_the_panels_whose_sql_fails(grafana: Grafana, full: State, dsn: str) -> None:
    full.dsn = dsn
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("DROP FUNCTION dash.dead_letters CASCADE")
    wrong = [one for one in look(grafana, "cityops-quality") if one.wrong]
    assert [one.what for one in wrong] == ["cityops-quality / 未入库数据 (0 ms)"]
    assert "dash.dead_letters" in wrong[0].wrong


def test_a_data_source_that_is_away_is_named(grafana: Grafana, state: State) -> None:
    state.dsn = "postgresql://nobody@127.0.0.1:1/none"
    found = list(verify(grafana, VIEW, languages=(), now=lambda: 0.0))
    assert any(one.what == "data source" and "refused" in one.wrong for one in found)


def test_reading_is_tried_again_and_writing_is_not(grafana: Grafana, state: State) -> None:
    state.sick = 2
    assert grafana.version() == (10, 1)
    state.sick = 1
    with pytest.raises(GrafanaError, match="503"):
        grafana.put_preferences({})
    assert state.asked.count("PUT /api/org/preferences") == 1


def test_the_command_pushes_and_a_viewers_token_verifies(url: str, tmp_path: Path) -> None:
    secret, token = tmp_path / "password", tmp_path / "token"
    secret.write_text(f"{PASSWORD}\n")
    given = ["--url", url, "--password-file", str(secret), "--token-out", str(token)]
    pushed = CliRunner().invoke(app, ["push", *given])
    assert pushed.exit_code == 0, pushed.output
    assert token.stat().st_mode & 0o777 == 0o600
    seen = CliRunner().invoke(
        app,
        ["verify", "--url", url, "--token-file", str(token), "--lang", "en", "--page", "*-wall-en"],
    )
    assert seen.exit_code == 0, seen.output
    assert "– folder cityops-en: GET /api/folders/cityops-en/permissions: 403" in seen.output
    assert " 0 wrong" in seen.output


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["--password-file", "WRONG"], 1, "wrong token or password"),
        ([], 2, "give --password-file or --token-file"),
        (["--url", "http://127.0.0.1:1", "--password-file", "WRONG"], 1, "cannot reach"),
    ],
)
def test_errors_are_one_clear_line(
    url: str, tmp_path: Path, given: list[str], code: int, said: str
) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    arguments = [str(wrong) if one == "WRONG" else one for one in given]
    result = CliRunner().invoke(app, ["push", "--url", url, *arguments])
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output
