"""The backup's file is whole or refused; the daily one is due once a day; old ones go."""

import json
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.backup import files
from deploy.backup.archive import DUMP, FILES, MANIFEST, Manifest, opened, verify, written
from deploy.backup.daily import Daily, Plan, child_environment, drop_old, made
from deploy.backup.files import SERVER_SECRETS
from deploy.backup.names import folder
from deploy.errors import DeployError
from deploy.paths import Layout


def manifest(layout: Layout) -> Manifest:
    return Manifest("2026-11-29T00:00:00+00:00", "17", "2.19.3", "c", str(layout.state), {}, [])


def write(layout: Layout, file: Path) -> Path:
    with written(file) as writer:
        with writer.member(DUMP) as out:
            out.write(b"a dump")
        files.save(layout, writer)
        writer.close(manifest(layout))
    return file


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A state folder with everything that is backed up, and the servers' passwords."""
    for name in ("CITYOPS_SECRETS_KEY_FILE", "CITYOPS_ROUTES_FILE", "CITYOPS_BACKUP_DIR"):
        monkeypatch.delenv(name, raising=False)
    made_here = Layout(tmp_path / "old")
    for name in ("api_key", "webhook", *SERVER_SECRETS):
        _put(made_here.secrets / name, name)
    _put(made_here.state / "secrets.key", "the key")
    _put(made_here.routes_file, "# own routes")
    secret = made_here.secrets / "webhook"
    _put(made_here.receivers_file, f'[[receivers]]\nsecret_file = "{secret}"\n')
    _put(made_here.grafana_site / "secrets" / "admin-password", "grafana's")
    data = made_here.state / files.GRAFANA_DATA
    data.parent.mkdir(parents=True)
    with sqlite3.connect(data) as conn:
        conn.execute("CREATE TABLE star (who text)")
        conn.execute("INSERT INTO star VALUES ('li')")
    conn.close()
    return made_here


def _put(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def test_every_file_comes_back_for_its_owner_alone_and_names_the_new_folder(
    layout: Layout, tmp_path: Path
) -> None:
    new = Layout(tmp_path / "new")
    with opened(write(layout, tmp_path / "b.zip")) as (archive, found):
        verify(archive, found)
        back = files.put_back(new, archive, found)
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert {file.stat().st_mode & 0o777 for file in back} == {0o600}
    assert (new.state / "secrets.key").read_text() == "the key"
    assert new.routes_file.read_text() == "# own routes"
    assert f'"{new.secrets / "webhook"}"' in new.receivers_file.read_text()
    assert (new.grafana_site / "secrets" / "admin-password").read_text() == "grafana's"
    with sqlite3.connect(new.state / files.GRAFANA_DATA) as conn:
        assert conn.execute("SELECT who FROM star").fetchall() == [("li",)]
    conn.close()
    assert not SERVER_SECRETS & {file.name for file in new.secrets.iterdir()}


def test_routes_of_the_code_are_not_frozen_by_a_backup(layout: Layout, tmp_path: Path) -> None:
    layout.routes_file.unlink()
    with opened(write(layout, tmp_path / "b.zip")) as (archive, found):
        assert FILES + "routes.toml" in found.sha256
        files.put_back(Layout(tmp_path / "new"), archive, found)
    assert not (tmp_path / "new" / "routes.toml").exists()


def test_one_that_was_broken_off_is_no_backup_and_leaves_nothing(
    layout: Layout, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt), written(tmp_path / "b.zip") as writer:
        with writer.member(DUMP) as out:
            out.write(b"half")
        raise KeyboardInterrupt
    assert not [path for path in tmp_path.iterdir() if "b.zip" in path.name]


def _changed(file: Path, change: dict[str, bytes | None]) -> Path:
    with zipfile.ZipFile(file) as archive:
        content: dict[str, bytes | None] = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (content | change).items():
            if data is not None:
                archive.writestr(name, data)
    return file


def test_a_changed_or_lost_part_is_named(layout: Layout, tmp_path: Path) -> None:
    for part, change in ((DUMP, b"another dump"), (FILES + "secrets.key", None)):
        file = _changed(write(layout, tmp_path / "b.zip"), {part: change})
        with pytest.raises(DeployError, match=part), opened(file) as (archive, found):
            verify(archive, found)


def test_what_is_no_backup_or_of_another_format_is_refused(layout: Layout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"PK no zip")
    file = write(layout, tmp_path / "b.zip")
    with pytest.raises(DeployError, match="no whole backup"), opened(other):
        pass
    with pytest.raises(DeployError, match="no whole backup"), opened(tmp_path / "absent"):
        pass
    later = json.dumps({"format": 2}).encode()
    with pytest.raises(DeployError, match="format 2"), opened(_changed(file, {MANIFEST: later})):
        pass


def test_a_name_that_leads_out_of_the_state_is_refused(layout: Layout, tmp_path: Path) -> None:
    with written(tmp_path / "b.zip") as writer:
        with writer.member(FILES + "../evil") as out:
            out.write(b"x")
        writer.close(manifest(layout))
    with pytest.raises(ValueError, match="leads out"), opened(tmp_path / "b.zip") as (zipped, said):
        files.put_back(Layout(tmp_path / "new"), zipped, said)
    assert not (tmp_path / "evil").exists()


NIGHT = datetime(2026, 11, 28, 19, 30, tzinfo=UTC)
"""03:30 of the 29th in the city."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "started", "newest", "due"),
    [
        (NIGHT - MINUTE, NIGHT - DAY, NIGHT - DAY + MINUTE, False),
        (NIGHT + MINUTE, NIGHT - DAY, NIGHT - DAY + MINUTE, True),
        (NIGHT + 2 * MINUTE, NIGHT - DAY, NIGHT + MINUTE, False),
        (NIGHT + MINUTE, NIGHT - HOUR, None, True),  # the first night of a new platform
        (NIGHT + 5 * HOUR, NIGHT + HOUR, None, False),
        (NIGHT + 5 * HOUR, NIGHT + 5 * HOUR - MINUTE, NIGHT - DAY, False),  # missed; just begun
        (NIGHT + 5 * HOUR, NIGHT + 4 * HOUR, NIGHT - DAY, True),  # missed; made up for
    ],
)
def test_when_one_is_due(
    now: datetime, started: datetime, newest: datetime | None, due: bool
) -> None:
    assert Plan().due(now, started, newest) is due
    assert not Plan(keep=0).due(now, started, newest)


def test_the_hour_and_the_number_are_settings() -> None:
    plan = Plan.of({"CITYOPS_BACKUP_AT": "22:05", "CITYOPS_BACKUP_KEEP": "2"})
    assert (plan.at.hour, plan.at.minute, plan.keep) == (22, 5, 2)
    with pytest.raises(ValueError, match="late"):
        Plan.of({"CITYOPS_BACKUP_AT": "late"})


def test_the_newest_daily_ones_stay_and_those_made_by_hand(tmp_path: Path) -> None:
    names = [f"cityops-daily-2026112{n}T193000Z.zip" for n in range(5)]
    for name in (*names, "cityops-20200101T000000Z.zip", "cityops-daily-notes.zip"):
        (tmp_path / name).touch()
    assert len(made(tmp_path)) == 5
    drop_old(tmp_path, 2)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names[3:], "cityops-20200101T000000Z.zip", "cityops-daily-notes.zip"}


def test_one_that_fails_is_told_and_tried_again_an_hour_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing runs in this state folder, so the command fails."""
    monkeypatch.delenv("CITYOPS_BACKUP_DIR", raising=False)
    layout = Layout(tmp_path)
    folder(layout).mkdir()
    (folder(layout) / "cityops-daily-20200101T000000Z.zip").touch()
    daily = Daily(layout, {"PATH": "/usr/bin", "CITYOPS_STATE_DIR": str(tmp_path)})
    now = datetime.now(UTC) + HOUR
    assert daily.look(now) == ""
    child = daily._child
    assert child is not None
    assert child.wait(30) == 1
    assert "failed" in daily.look(now + MINUTE)
    assert daily._child is None
    daily.look(now + 62 * MINUTE)
    assert daily._child is not None
    daily.stop()


def test_a_command_of_ours_finds_our_servers_by_itself() -> None:
    given = {"CITYOPS_DSN": "x", "CITYOPS_KAFKA": "y", "CITYOPS_STATE_DIR": "z"}
    assert child_environment(given) == {"CITYOPS_STATE_DIR": "z"}
    external = given | {"CITYOPS_RUNTIME": "external"}
    assert child_environment(external) == external
