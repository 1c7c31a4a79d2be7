"""What a Grafana is started with: files that fit together, for a network without a way out."""

import configparser
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.alerting import alerting
from dashboards.build import files
from dashboards.lint import lint_files
from dashboards.organisation import playlists, preferences
from dashboards.provision import Provision, provision
from dashboards.query import DATASOURCE_UID
from storage.views.reader import CONNECTIONS, ROLE
from tests.support.boards import BOARDS


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that was provisioned for a database of one machine."""
    folder = tmp_path_factory.mktemp("grafana")
    provision(Provision(folder, "postgresql://owner:hunter2@db.internal:5433/city", 3333))
    return folder


def read(path: Path) -> dict[str, list[dict[str, object]]]:
    return yaml.safe_load(path.read_text())


def test_the_data_source_reads_as_the_reading_role(out: Path) -> None:
    (source,) = read(out / "provisioning/datasources/cityops.yaml")["datasources"]
    assert (source["uid"], source["type"], source["user"]) == (DATASOURCE_UID, "postgres", ROLE)
    assert source["url"] == "db.internal:5433"
    assert source["jsonData"]["database"] == "city"  # pyright: ignore[reportIndexIssue]
    assert source["jsonData"]["maxOpenConns"] < CONNECTIONS  # pyright: ignore[reportIndexIssue]
    assert "hunter2" not in (out / "provisioning/datasources/cityops.yaml").read_text()


def test_secrets_are_files_that_only_their_owner_reads(out: Path) -> None:
    made = sorted((out / "secrets").iterdir())
    assert [path.name for path in made] == [
        *("admin-password", "db-password", "secret-key", "wall-password")
    ]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert all(len(path.read_text()) >= 32 for path in made)


def as_grafana_reads(text: str, environment: Mapping[str, str]) -> str:
    """Put in variables and files as Grafana does: variables first, each of them once."""
    steps: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("|__env", lambda name: environment[name]),
        ("__file", lambda path: Path(path).read_text().strip()),
    )
    for kind, put_in in steps:
        pattern = rf"\$(?:{kind}){{([^}}]+)}}"
        text = re.sub(pattern, lambda found, put_in=put_in: put_in(found[1]), text)
    return text


def secrets_of(ini: str, source: str) -> tuple[str, ...]:
    read_ini = configparser.RawConfigParser()
    read_ini.read_string(ini)
    password = yaml.safe_load(source)["datasources"][0]["secureJsonData"]["password"]
    return read_ini["security"]["admin_password"], read_ini["security"]["secret_key"], password


def test_grafana_finds_the_secrets_in_written_files(out: Path) -> None:
    names = ("grafana.ini", "provisioning/datasources/cityops.yaml")
    found = secrets_of(*(as_grafana_reads((out / name).read_text(), {}) for name in names))
    wanted = ("admin-password", "secret-key", "db-password")
    assert found == tuple((out / "secrets" / name).read_text() for name in wanted)


def test_grafana_finds_the_secrets_of_built_files_in_its_environment() -> None:
    parts = ("DATA", "PORT", "DB_HOST", "DB_NAME", "DB_PASSWORD", "ADMIN_PASSWORD", "SECRET_KEY")
    environment = {f"CITYOPS_GRAFANA_{part}": f"value of {part}" for part in parts}
    made = files()
    names = ("grafana.ini", "provisioning/datasources/cityops.yaml")
    found = secrets_of(*(as_grafana_reads(made[name], environment) for name in names))
    assert found == ("value of ADMIN_PASSWORD", "value of SECRET_KEY", "value of DB_PASSWORD")


def test_written_files_keep_the_rules_of_built_ones(out: Path) -> None:
    written: dict[str, Any] = {
        str(path.relative_to(out)): path.read_text()
        for path in out.rglob("*")
        if path.is_file() and path.parent.name != "secrets"
    }
    assert [str(finding) for finding in lint_files(written)] == []
    assert files().keys() - written.keys() == {"api/playlists.json", "api/preferences.json"}


def test_dashboards_lie_where_their_provider_looks(out: Path) -> None:
    for provider in read(out / "provisioning/dashboards/cityops.yaml")["providers"]:
        there = sorted(Path(provider["options"]["path"]).glob("*.json"))  # pyright: ignore[reportIndexIssue]
        assert len(there) == len(BOARDS) // 2
        assert provider["folderUid"] in ("cityops-zh", "cityops-en")


def test_nobody_looks_without_an_account_and_no_session_lives_long(out: Path) -> None:
    ini = configparser.RawConfigParser()
    ini.read(out / "grafana.ini")
    assert ini["auth.anonymous"]["enabled"] == "false"
    assert ini["users"]["auto_assign_org_role"] == "Viewer"
    assert ini["users"]["viewers_can_edit"] == "false"
    (source,) = read(out / "provisioning/datasources/cityops.yaml")["datasources"]
    assert source["jsonData"]["connMaxLifetime"] == 60  # pyright: ignore[reportIndexIssue]


def test_grafana_calls_nobody_and_starts_on_the_wall(out: Path) -> None:
    ini = configparser.RawConfigParser()
    ini.read(out / "grafana.ini")
    assert ini["analytics"]["reporting_enabled"] == "false"
    assert ini["analytics"]["check_for_updates"] == "false"
    assert ini["plugins"]["public_key_retrieval_disabled"] == "true"
    assert ini["news"]["news_feed_enabled"] == "false"
    assert ini["users"]["default_language"] == "zh-Hans"
    home = json.loads(Path(ini["dashboards"]["default_home_dashboard_path"]).read_text())
    assert home["uid"] == "cityops-wall"
    ground = json.loads(ini["geomap"]["default_baselayer_config"].strip("`"))
    assert ground["config"]["url"].startswith("data:")  # no tile is fetched
    assert "http" not in ini["geomap"]["default_baselayer_config"]


def test_notifications_go_to_the_console_with_a_key_that_no_file_holds() -> None:
    files = alerting("http://console:8700")
    (point,) = files["provisioning/alerting/contact-points.yaml"]["contactPoints"]
    settings = point["receivers"][0]["settings"]
    assert settings["url"] == "http://console:8700/api/v1/incoming/grafana"
    assert settings["authorization_credentials"].startswith("$")  # never the token itself


def test_a_playlist_begins_with_the_wall() -> None:
    assert preferences()["homeDashboardUID"] == "cityops-wall"
    assert {one["items"][0]["value"] for one in playlists()} == {"cityops-wall", "cityops-wall-en"}
