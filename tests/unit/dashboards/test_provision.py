"""What a Grafana is started with: files that fit together, for a network without a way out."""

import configparser
import json
from pathlib import Path

import pytest
import yaml

from dashboards.alerting import alerting
from dashboards.build import dashboards
from dashboards.organisation import playlists, preferences
from dashboards.provision import Provision, provision
from dashboards.query import DATASOURCE_UID
from storage.views.reader import CONNECTIONS, ROLE

BOARDS = {board["uid"]: board for board in dashboards().values()}


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
    assert [path.name for path in made] == ["admin-password", "db-password", "secret-key"]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert all(len(path.read_text()) >= 32 for path in made)


def test_dashboards_lie_where_their_provider_looks(out: Path) -> None:
    for provider in read(out / "provisioning/dashboards/cityops.yaml")["providers"]:
        there = sorted(Path(provider["options"]["path"]).glob("*.json"))  # pyright: ignore[reportIndexIssue]
        assert len(there) == len(BOARDS) // 2
        assert provider["folderUid"] in ("cityops-zh", "cityops-en")


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


def test_an_alert_rule_leads_to_a_panel_that_is_there() -> None:
    files = alerting("http://console:8700")
    for rule in files["provisioning/alerting/rules.yaml"]["groups"][0]["rules"]:
        panels = {panel["id"] for panel in BOARDS[rule["dashboardUid"]]["panels"]}
        assert rule["panelId"] in panels, rule["uid"]
        assert rule["condition"] in {query["refId"] for query in rule["data"]}
    (point,) = files["provisioning/alerting/contact-points.yaml"]["contactPoints"]
    (policy,) = files["provisioning/alerting/policies.yaml"]["policies"]
    assert policy["receiver"] == point["name"]
    settings = point["receivers"][0]["settings"]
    assert settings["url"] == "http://console:8700/api/v1/incoming/grafana"
    assert settings["authorization_credentials"].startswith("$")  # never the token itself


def test_playlists_and_home_name_pages_that_are_there() -> None:
    assert preferences()["homeDashboardUID"] in BOARDS
    for playlist in playlists():
        pages = [item["value"] for item in playlist["items"]]
        assert pages[0].startswith("cityops-wall")
        assert set(pages) <= BOARDS.keys()
