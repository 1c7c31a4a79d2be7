"""Grafana, when one is here: found, provisioned with our dashboards, supervised on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.errors import DeployError
from deploy.paths import ROOT, Layout
from deploy.plan import Process
from deploy.ports import LOOPBACK
from deploy.runtime import Addresses
from storage.views.reader import ROLE

PACKAGED_HOME = Path("/usr/share/grafana")
ABSENT = (
    "no Grafana here: the console shows the city. make grafana fetches one, GRAFANA_HOME names one"
)


@dataclass(frozen=True, slots=True)
class Grafana:
    """A Grafana to run (`home` set), or one that somebody else runs, at `url`."""

    url: str
    home: Path | None = None

    @property
    def port(self) -> int:
        """Port of its address."""
        return urlsplit(self.url).port or 3000


def find(layout: Layout, port: int) -> Grafana | None:
    """Return the Grafana of the environment (CITYOPS_GRAFANA), or one that we can start here."""
    if given := os.environ.get("CITYOPS_GRAFANA"):
        return Grafana(given.rstrip("/"))
    home = find_home(layout)
    return None if home is None else Grafana(f"http://{LOOPBACK}:{port}", home)


def find_home(layout: Layout) -> Path | None:
    """Return GRAFANA_HOME, the fetched Grafana, or that of a `grafana` on the path.

    Raises DeployError when GRAFANA_HOME is set and holds none.
    """
    if named := os.environ.get("GRAFANA_HOME"):
        if not _is_home(Path(named)):
            raise DeployError(f"GRAFANA_HOME={named} holds no bin/grafana and conf/defaults.ini")
        return Path(named).resolve()
    tried = [layout.grafana_home]
    if program := shutil.which("grafana"):
        tried += [Path(program).resolve().parent.parent, PACKAGED_HOME]
    return next(filter(_is_home, tried), None)


def _is_home(folder: Path) -> bool:
    program = folder / "bin" / "grafana"
    return os.access(program, os.X_OK) and (folder / "conf" / "defaults.ini").is_file()


def process(layout: Layout, home: Path) -> Process:
    """Return the process to supervise; of ours it is told one key, to report to the console."""
    line = (str(home / "bin" / "grafana"), "server", "--homepath", str(home))
    config = layout.grafana_site / "grafana.ini"
    key = {"CITYOPS_API_KEY": layout.grafana_key_file.read_text().strip()}
    return Process("grafana", (*line, "--config", str(config)), key, guest=True)


def provision(
    layout: Layout, grafana: Grafana, addresses: Addresses, common: dict[str, str]
) -> str:
    """Write ini, data source and dashboards; let the reader role log in.

    Returns what stands in the way of that role, empty when nothing does.
    """
    database = conninfo_to_dict(addresses.dsn)["dbname"]
    admin = make_conninfo(addresses.admin or addresses.dsn, dbname=database)
    line = [sys.executable, "-m", "dashboards", "provision", "--out", str(layout.grafana_site)]
    line += ["--admin", "--port", str(grafana.port)]
    env = os.environ | common | {"CITYOPS_DSN": admin}
    done = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise DeployError(f"Grafana's files were not written:\n{done.stderr or done.stdout}")
    password = (layout.grafana_site / "secrets" / "db-password").read_text().strip()
    reader = make_conninfo(addresses.dsn, user=ROLE, password=password)
    try:
        psycopg.connect(reader, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return f"{ROLE} cannot log in, its panels stay empty: {str(error).strip()}"
    return ""


def push(layout: Layout, grafana: Grafana, common: dict[str, str]) -> str:
    """Make in a Grafana of ours what only HTTP makes: the wall's account, rights, playlists.

    Returns what went wrong, empty when nothing did: the city is seen without it.
    """
    held = layout.grafana_site / "secrets"
    line = [sys.executable, "-m", "dashboards", "push", "--url", grafana.url]
    line += ["--password-file", str(held / "admin-password")]
    line += ["--viewer-file", str(held / "wall-password")]
    done = subprocess.run(
        line, env=os.environ | common, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    said = (done.stderr or done.stdout).strip()
    return f"Grafana has no account for the wall yet: {said}" if done.returncode else ""


def health(port: int) -> dict[str, object]:
    """Return what Grafana says of itself in the words of our own processes; empty when silent."""
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/api/health", timeout=2) as answer:
            said = json.load(answer)
    except (URLError, OSError, ValueError):
        return {}
    well = said.get("database") == "ok"
    return {"healthy": well, "reason": "" if well else f"its database: {said.get('database')}"}
