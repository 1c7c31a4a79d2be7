"""Write everything that a Grafana of one machine needs; its secrets are files of mode 0600."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dashboards.alerting import alerting
from dashboards.build import as_text, dashboards
from dashboards.site_files import Place, as_yaml, provisioning_files
from storage.views.reader import ensure_reader


@dataclass(frozen=True, slots=True)
class Provision:
    """Where and for what to write."""

    out: Path
    dsn: str
    port: int = 3000
    console: str = "http://127.0.0.1:8700"
    password_file: Path | None = None
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was written."""

    config: Path
    dashboards: int
    admin_password_file: Path


def from_file(path: Path) -> str:
    """Return what makes Grafana put in a file's text; a variable in the path it would not see."""
    return f"$__file{{{path}}}"


def provision(wish: Provision) -> Provisioned:
    """Write everything for one machine; existing secrets are kept."""
    out = wish.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    password = _secret(wish.password_file or out / "secrets" / "db-password")
    admin = _secret(out / "secrets" / "admin-password")
    secret_key = _secret(out / "secrets" / "secret-key")
    _secret(out / "secrets" / "wall-password")
    if wish.admin:
        with psycopg.connect(wish.dsn, autocommit=True) as conn:
            ensure_reader(conn, password.read_text().strip())
    parts = conninfo_to_dict(wish.dsn)
    place = Place(
        folder=str(out),
        host=f"{parts.get('host', '127.0.0.1')}:{parts.get('port', 5432)}",
        database=str(parts.get("dbname", "cityops")),
        password=from_file(password.resolve()),
        admin_password=from_file(admin),
        secret_key=from_file(secret_key),
        console=wish.console,
        port=str(wish.port),
    )
    for name, content in provisioning_files(place).items():
        _write(out / name, content)
    for name, content in alerting(place.console).items():
        _write(out / name, as_yaml(content))
    boards = dashboards()
    for name, board in boards.items():
        _write(out / name, as_text(board))
    return Provisioned(out / "grafana.ini", len(boards), admin)


def _secret(path: Path) -> Path:
    """Make a file with a random secret unless it is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != content:
        path.write_text(content)
