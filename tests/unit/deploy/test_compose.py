"""The compose file is valid, closed to the outside and free of secrets; its versions are ours."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from psycopg.conninfo import conninfo_to_dict

from deploy import kafka_access
from deploy.backup.files import SERVER_SECRETS
from deploy.docker import FILE, Compose
from deploy.errors import DeployError
from deploy.grafana_fetch import wanted
from deploy.native import kafka
from deploy.native.servers import stored_password
from deploy.paths import ROOT, Layout
from deploy.rights import ADMIN, CONTAINER_SETTINGS, KAFKA, kafka_secret
from deploy.runtime import Addresses, ComposeRuntime, choose_runtime
from service.kafka_login import Login
from storage.roles import ROLES, role_of

TEXT = FILE.read_text()
DEFAULTED = re.compile(r"\$\{\w+:-([^}]*)\}")


def plain() -> str:
    """Return the file with every variable at its default, as an empty environment gives it."""
    return DEFAULTED.sub(r"\1", TEXT)


def untagged() -> str:
    """Return it with digests alone: Docker takes a tag beside one, the checker does not."""
    return re.sub(r"(image: \S+?):[^@\s]+@", r"\1@", plain())


@pytest.fixture
def services() -> dict[str, Any]:
    return yaml.safe_load(plain())["services"]


def test_the_file_follows_the_compose_specification() -> None:
    parsed = PyCompose.from_yaml(untagged())
    parsed.validate()
    assert set(parsed.service_names()) == {"kafka", "timescaledb", "app", "grafana"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("healthcheck:", "healthchek:"),
        ("restart: unless-stopped", "restart: perhaps"),
        ("secrets: [postgres]", "secrets: [nobody]"),
    ],
)
def test_a_slip_in_the_file_is_seen(right: str, wrong: str) -> None:
    assert right in plain()
    with pytest.raises(ValueError, match=r"services|secret"):
        PyCompose.from_yaml(untagged().replace(right, wrong)).validate()


def test_every_variable_has_a_default() -> None:
    assert "$" not in plain()


def test_every_named_volume_is_declared(services: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for s in services.values() for volume in s["volumes"]}
    assert used == set(yaml.safe_load(plain())["volumes"])


def test_nothing_listens_beyond_loopback(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    # these share the host's network, where our processes and Grafana bind to loopback
    assert {n for n, s in services.items() if s.get("network_mode")} == {"app", "grafana"}


def test_every_service_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name


def test_passwords_are_files_and_never_values(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key or "SECRET" in key:
                assert key.endswith("_FILE"), (name, key)
                assert str(value).startswith("/run/secrets/"), (name, key)
            assert not re.search(r"://[^/@:]+:[^/@]+@", str(value)), (name, key)


def test_the_broker_is_of_the_version_that_runs_natively(services: dict[str, Any]) -> None:
    assert _tag(services["kafka"]["image"]) == f"apache/kafka:{kafka.VERSION}"


def test_the_wall_is_of_the_version_that_make_grafana_fetches(services: dict[str, Any]) -> None:
    assert _tag(services["grafana"]["image"]) == f"grafana/grafana:{wanted('x86_64').version}"


def _tag(image: str) -> str:
    return image.partition("@")[0]


def test_images_are_named_by_their_digest(services: dict[str, Any]) -> None:
    recipe = (ROOT / "deploy/Dockerfile").read_text()
    images = {s["image"] for s in services.values()} | set(re.findall(r"^FROM (\S+)", recipe, re.M))
    loose = {image for image in images if not re.search(r"@sha256:[0-9a-f]{64}$", image)}
    assert loose == {"cityops:local", "timescale/timescaledb:2.19.3-pg17"}  # ours; no digest known


def test_the_container_runs_as_somebody_without_rights() -> None:
    lines = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    assert "USER 1000:1000" in lines
    assert not [line for line in lines[lines.index("USER 1000:1000") :] if line.startswith("RUN")]


def test_the_image_is_built_from_the_lock_and_takes_no_state_along() -> None:
    recipe = (ROOT / "deploy/Dockerfile").read_text()
    assert "--require-hashes -r requirements.txt" in recipe
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", ".cityops"} <= set(ignored)


def test_the_containers_broker_has_the_doors_of_our_own(tmp_path: Path) -> None:
    """The same settings but for where it listens, where its data is, and how it is formatted."""
    file = kafka_access.write_container_settings(19092, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    inside = kafka_access.CONTAINER_CONTROLLER
    closed = kafka_access.settings(19092, inside, tmp_path)
    own = _settings(kafka.properties(tmp_path, 19092, inside, closed))
    there = _settings(file.read_text())
    other = {name for name in own.keys() | there if own.get(name) != there.get(name)}
    assert other == {"listeners", "log.dirs", kafka.VOTERS}
    assert there["listeners"].startswith(
        f"{kafka_access.LISTENER}://0.0.0.0:19092,CONTROLLER://127"
    )
    assert there["allow.everyone.if.no.acl.found"] == "false"
    assert "PLAINTEXT" not in there["listener.security.protocol.map"].replace("SASL_PLAINTEXT", "")
    again = kafka_access.write_container_settings(19092, tmp_path)
    assert _settings(again.read_text()) == there  # passwords are made once


def _settings(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_broker_gets_its_settings_from_the_file_alone(services: dict[str, Any]) -> None:
    """What stands in the environment wins over the file and is shown to whoever may inspect."""
    broker = services["kafka"]
    assert set(broker["environment"]) == {"CLUSTER_ID", "KAFKA_HEAP_OPTS"}
    (line,) = broker["command"]
    assert line.startswith("install -o appuser -m 0600 /run/secrets/kafka.properties /mnt/shared/")
    assert "exec su -s /bin/bash appuser" in line  # root hands the file on and is gone
    (published,) = broker["ports"]
    _, outside, inside = published.split(":")
    assert outside == inside
    assert broker["healthcheck"]["test"][-1].endswith(f"/{inside}")
    assert {CONTAINER_SETTINGS, kafka_secret(ADMIN)} <= SERVER_SECRETS  # in no backup


def test_every_process_is_its_own_user_and_role_where_the_servers_are_containers(
    tmp_path: Path,
) -> None:
    layout = Layout(tmp_path)
    found = ComposeRuntime(layout, {"kafka": 19092, "postgres": 15432}).planned()
    _is_closed(found, layout)


def test_the_platforms_container_makes_the_same_users_and_roles(
    tmp_path: Path, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in services["app"]["environment"].items():
        if str(value).startswith("/run/secrets/"):
            (tmp_path / Path(value).name).write_text("of-the-server")
            value = tmp_path / Path(value).name
        monkeypatch.setenv(name, str(value))
    layout = Layout(tmp_path / "state")
    found = choose_runtime(layout, {}).planned()
    assert found.kafka_login() == Login(ADMIN, "of-the-server", "PLAIN")
    _is_closed(found, layout)


def _is_closed(found: Addresses, layout: Layout) -> None:
    """Check that no two processes come to broker or database by the same name."""
    at_database = [found.dsn_of(process, layout.secrets) for process in ROLES]
    assert [conninfo_to_dict(dsn)["user"] for dsn in at_database] == [role_of(p) for p in ROLES]
    assert len({conninfo_to_dict(dsn)["password"] for dsn in at_database}) == len(ROLES)
    assert found.kafka_secrets == layout.secrets
    for user in KAFKA:  # as `kafka_access.grant` does for them
        stored_password(layout.secrets / kafka_secret(user))
    at_broker = [Login.of(kafka_access.environment(user, layout.secrets)) for user in KAFKA]
    assert [login.user for login in at_broker] == list(KAFKA)
    assert {login.mechanism for login in at_broker} == {"SCRAM-SHA-512"}


def test_the_wrapper_makes_the_password_once_and_names_the_file(tmp_path: Path) -> None:
    """The script ends by calling `docker`; here that is a program that tells what it was given."""
    told = tmp_path / "docker"
    told.write_text('#!/bin/sh\necho "$COMPOSE_PROFILES $CITYOPS_USER $@"\n')
    told.chmod(0o755)
    secrets = tmp_path / "secrets"
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CITYOPS_SECRETS": str(secrets)}
    line = [str(ROOT / "deploy/compose.sh"), "up", "--wait"]
    passwords = set()
    for _ in range(2):
        ran = subprocess.run(line, env=env, capture_output=True, text=True, check=True, timeout=30)
        user = f"{os.getuid()}:{os.getgid()}"
        made, called = ran.stdout.splitlines()
        # the image that writes the broker's settings, into the folder of the secrets
        assert (
            made.split()
            == (
                f"platform {user} run --rm --network none --user {user} --volume {secrets}:/secrets"
                " cityops:local python -m deploy kafka-settings /secrets --port 9092"
            ).split()
        )
        wanted = f"platform {user} compose --file {FILE.relative_to(ROOT)} up --wait"
        assert called.split() == wanted.split()
        passwords.add((secrets / "postgres").read_text())
    assert len(passwords) == 1
    assert len(passwords.pop().strip()) >= 32
    assert (secrets / "postgres").stat().st_mode & 0o777 == 0o600


def test_the_two_servers_are_started_and_stopped_and_a_failure_is_told_in_dockers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No engine is needed: `docker` is a program that notes its arguments and may fail."""
    script = '#!/bin/sh\necho "$@" >>"$0.log"; [ ! -e "$0.fails" ] || exec false\n'
    (tmp_path / "docker").write_text(script)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    layout = Layout(tmp_path)
    compose = Compose(layout)
    compose.stop()  # nothing is in use yet: nothing is called
    compose.up({"kafka": 19092, "postgres": 15432})
    values = dict(line.split("=", 1) for line in layout.compose_file.read_text().splitlines())
    assert values["CITYOPS_KAFKA_PORT"] == "19092"
    assert set(values) <= set(re.findall(r"\$\{(\w+)", TEXT))
    compose.stop()
    (tmp_path / "docker.fails").touch()
    with pytest.raises(DeployError, match="docker compose down failed"):
        compose.remove()
    assert compose.in_use  # still there to be removed
    log = (tmp_path / "docker.log").read_text().splitlines()
    called = [line.split(str(layout.compose_file))[1] for line in log]
    assert called == [" up --detach --wait kafka timescaledb", " stop", " down --volumes"]


@pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="docker compose is not installed",
)
def test_docker_compose_itself_reads_it() -> None:
    line = ["docker", "compose", "--profile", "platform", "--file", str(FILE), "config", "--quiet"]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
