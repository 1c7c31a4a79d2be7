"""Where things live: the checkout, its state, and the download cache shared by all checkouts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Layout:
    """Name every path one running platform keeps under its state folder."""

    state: Path

    @property
    def secrets(self) -> Path:
        """Folder of generated passwords and keys, mode 0700."""
        return self.state / "secrets"

    @property
    def api_key_file(self) -> Path:
        """File holding the local API key, mode 0600."""
        return self.secrets / "api_key"

    @property
    def grafana_key_file(self) -> Path:
        """File holding the key with which Grafana reports to the console, mode 0600."""
        return self.secrets / "grafana_key"

    @property
    def console_password_file(self) -> Path:
        """File holding the generated password of the console's first user, mode 0600."""
        return self.secrets / "console_admin"

    @property
    def receivers_file(self) -> Path:
        """TOML file of webhook receivers that the alerts engine reads at its start."""
        return self.state / "receivers.toml"

    @property
    def routes_file(self) -> Path:
        """TOML file of the routing tree that counts when it exists; else that of the code."""
        return self.state / "routes.toml"

    @property
    def logs(self) -> Path:
        """Folder of one log file per process."""
        return self.state / "logs"

    @property
    def grafana_home(self) -> Path:
        """Folder of a Grafana that `make grafana` has fetched."""
        return self.state / "grafana"

    @property
    def grafana_site(self) -> Path:
        """Folder of Grafana's settings, secrets, dashboards and data for this platform."""
        return self.state / "grafana-site"

    @property
    def ports_file(self) -> Path:
        """JSON file of the ports chosen at the last start."""
        return self.state / "ports.json"

    @property
    def env_file(self) -> Path:
        """JSON file of the addresses of the running platform."""
        return self.state / "env.json"

    @property
    def starting_file(self) -> Path:
        """There while a start has not come to its end."""
        return self.state / "starting"

    @property
    def start_lock(self) -> Path:
        """Lock of the one start that may be under way."""
        return self.state / ".start.lock"

    @property
    def compose_file(self) -> Path:
        """Variables of docker compose; there only while the servers are containers."""
        return self.state / "compose.env"

    @property
    def supervisor_conf(self) -> Path:
        """Generated configuration of the process supervisor."""
        return self.state / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        """Pid file written by the process supervisor."""
        return self.state / "supervisord.pid"

    @property
    def supervisor_socket(self) -> Path:
        """Control socket of the process supervisor."""
        return self.state / "supervisor.sock"


def default_layout() -> Layout:
    """Return the layout of this checkout, or of the folder in CITYOPS_STATE_DIR."""
    return Layout(Path(os.environ.get("CITYOPS_STATE_DIR", ROOT / ".cityops")).absolute())


def cache_dir() -> Path:
    """Return the download cache: CITYOPS_CACHE, else a per-user folder.

    As root it is /var/cache/cityops, because the database runs as another user, which may not
    enter root's home.
    """
    if chosen := os.environ.get("CITYOPS_CACHE"):
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        return Path("/var/cache/cityops")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cityops"


def make_private(folder: Path) -> Path:
    """Create `folder` for its owner alone (0700) and return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder
