"""Docker: whether an engine is there, and the two servers of compose.yaml run by it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass

import yaml

from deploy.errors import DeployError
from deploy.paths import ROOT, Layout
from deploy.progress import step

FILE = ROOT / "deploy" / "compose.yaml"
SERVERS = ("kafka", "timescaledb")
PULL_S = 1800.0


def image(service: str) -> str:
    """Return the image of a service of compose.yaml, with its digest where one is known."""
    return str(yaml.safe_load(FILE.read_text())["services"][service]["image"])


def docker_answers() -> bool:
    """Tell whether a Docker engine answers."""
    return _says_yes("docker", "info")


def compose_answers() -> bool:
    """Tell whether an engine answers and `docker compose` is installed."""
    return docker_answers() and _says_yes("docker", "compose", "version")


@dataclass(frozen=True, slots=True)
class Compose:
    """The project of one state folder; the file compose.env in it says that there is one."""

    layout: Layout

    @property
    def in_use(self) -> bool:
        """Tell whether this state folder's servers are containers."""
        return self.layout.compose_file.exists()

    def up(self, ports: dict[str, int]) -> None:
        """Start the two servers on these ports and wait until their health checks pass."""
        mark = hashlib.sha256(str(self.layout.state).encode()).hexdigest()[:8]
        values = {
            "CITYOPS_COMPOSE_PROJECT": f"cityops-{mark}",
            "CITYOPS_SECRETS": self.layout.secrets,
            "CITYOPS_KAFKA_PORT": ports["kafka"],
            "CITYOPS_POSTGRES_PORT": ports["postgres"],
        }
        text = "".join(f"{name}={value}\n" for name, value in values.items())
        self.layout.compose_file.write_text(text)
        with step("starting the containers (the first time their images are fetched)"):
            self._run("up", "--detach", "--wait", *SERVERS)

    def stop(self) -> None:
        """Stop the containers; their data stays."""
        if self.in_use:
            self._run("stop")

    def remove(self) -> None:
        """Remove the containers and their data."""
        if self.in_use:
            self._run("down", "--volumes")
            self.layout.compose_file.unlink()

    def _run(self, *arguments: str) -> None:
        line = ["docker", "compose", "--file", str(FILE)]
        line += ["--env-file", str(self.layout.compose_file), *arguments]
        # a variable of the shell would win over the file
        env = {k: v for k, v in os.environ.items() if not k.startswith(("CITYOPS_", "COMPOSE_"))}
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=PULL_S)
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-2000:]
            raise DeployError(f"docker compose {arguments[0]} failed:\n{said}")


def _says_yes(*line: str) -> bool:
    if shutil.which(line[0]) is None:
        return False
    try:
        return subprocess.run(line, capture_output=True, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:
        return False
