"""Fetching Grafana from a file server: verified, whole or not at all; finding one that is here."""

import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy import grafana
from deploy.__main__ import app
from deploy.errors import DeployError
from deploy.grafana_fetch import Build, fetch, unpack, wanted
from deploy.paths import Layout
from tests.support.grafana_archive import archive, build_file

NAME = "grafana.linux.tar.gz"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Folder of a local file server, and the address of the archive in it."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/{NAME}"
    server.shutdown()
    server.server_close()


def make_grafana(state: Path, build: Path) -> Any:
    env = {"CITYOPS_STATE_DIR": str(state), "CITYOPS_GRAFANA_BUILD": str(build)}
    return CliRunner().invoke(app, ["grafana"], env=env)


def test_the_build_is_fetched_once_and_found_from_then_on(
    tmp_path: Path, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAFANA_HOME", raising=False)
    monkeypatch.delenv("CITYOPS_GRAFANA", raising=False)
    folder, url = served
    (folder / NAME).write_bytes(archive())
    build = build_file(tmp_path, url, archive())
    layout = Layout(tmp_path / "state")
    ran = make_grafana(layout.state, build)
    assert ran.exit_code == 0, ran.output
    found = grafana.find(layout, 3000)
    assert found is not None
    assert found.home == layout.grafana_home
    assert found.url == "http://127.0.0.1:3000"
    (folder / NAME).unlink()
    again = make_grafana(layout.state, build)
    assert again.exit_code == 0
    assert "remove that folder" in again.stderr


def test_what_cannot_be_reached_is_one_line_and_changes_nothing(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    state = tmp_path / "state"
    ran = make_grafana(state, build_file(tmp_path, served[1], b""))  # the server has no such file
    assert ran.exit_code == 2
    assert "cannot be fetched here, nothing was changed" in ran.stdout
    assert ran.output.count("\n") == 1
    assert [path.name for path in state.iterdir()] == [".grafana.lock"]


def test_another_content_is_refused(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, url = served
    (folder / NAME).write_bytes(archive({"grafana-v0/bin/grafana": b"something else"}))
    target = tmp_path / "state" / "grafana"
    with pytest.raises(DeployError, match="nothing was changed: SHA-256"):
        fetch(Build("1", url, "0" * 64), target)
    assert not target.exists()


def test_an_archive_that_leads_out_of_its_folder_is_refused(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    folder, url = served
    content = archive({"grafana-v0/../../../evil": b"x"})
    (folder / NAME).write_bytes(content)
    ran = make_grafana(tmp_path / "state", build_file(tmp_path, url, content))
    assert ran.exit_code == 2
    assert "archive of Grafana is broken" in ran.stdout
    assert not (tmp_path / "state" / "grafana").exists()
    assert not list(tmp_path.rglob("evil"))


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(f"grafana-v0/{name}")
    made.type, made.linkname, made.mode = kind, link, 0o755
    return made


def _packed(*members: tarfile.TarInfo) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member in members:
            tar.addfile(member)
    return io.BytesIO(out.getvalue())


@pytest.mark.parametrize(
    "members",
    [
        [_member("out", tarfile.SYMTYPE, "/etc")],
        [_member("out", tarfile.SYMTYPE, "../..")],
        [_member("a", tarfile.SYMTYPE, "b/.."), _member("b", tarfile.SYMTYPE, "."), _member("a/x")],
        [_member("hard", tarfile.LNKTYPE, "/etc/passwd")],
        [_member("device", tarfile.CHRTYPE)],
        [_member("pipe", tarfile.FIFOTYPE)],
        [_member("..")],
    ],
)
def test_a_member_that_is_no_plain_part_of_a_folder_is_refused(
    tmp_path: Path, members: list[tarfile.TarInfo]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(DeployError, match="archive of Grafana is broken"):
        unpack(_packed(*members), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_links_within_the_folder_and_the_right_to_run_are_kept(tmp_path: Path) -> None:
    unpack(_packed(_member("bin/grafana"), _member("latest", tarfile.SYMTYPE, "bin")), tmp_path)
    assert (tmp_path / "latest" / "grafana").stat().st_mode & 0o777 == 0o755


def test_half_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="archive of Grafana is broken"):
        unpack(io.BytesIO(archive()[: len(archive()) // 2]), tmp_path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, url = served
    content = archive(program="bin/other")
    (folder / NAME).write_bytes(content)
    ran = make_grafana(tmp_path / "state", build_file(tmp_path, url, content))
    assert ran.exit_code == 2
    assert "holds no bin/grafana" in ran.stdout


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_file_of_the_official_build_is_whole(machine: str) -> None:
    build = wanted(machine)
    assert build.url.startswith("https://dl.grafana.com/oss/release/")
    assert build.version in build.url
    assert len(build.sha256) == 64


def test_a_machine_without_a_build_is_named() -> None:
    with pytest.raises(DeployError, match="names no Grafana for vax"):
        wanted("vax")


def test_a_home_that_holds_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CITYOPS_GRAFANA", raising=False)
    monkeypatch.setenv("GRAFANA_HOME", str(tmp_path))
    with pytest.raises(DeployError, match="GRAFANA_HOME"):
        grafana.find(Layout(tmp_path), 3000)


def test_a_grafana_that_runs_elsewhere_is_used_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYOPS_GRAFANA", "http://wall.example:3100/")
    found = grafana.find(Layout(tmp_path), 3000)
    assert found == grafana.Grafana("http://wall.example:3100")
    assert found is not None
    assert found.port == 3100
