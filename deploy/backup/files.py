"""What belongs to the data but lies beside the database: keys, receivers, routes, Grafana's own."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import zipfile
from pathlib import Path

from alerts.settings import DEFAULT_ROUTES
from deploy import rights
from deploy.backup.archive import FILES, Manifest, Writer
from deploy.paths import Layout
from storage.anchors import FOLDER

SERVER_SECRETS = frozenset({"postgres", "cityops", "db-password"}) | rights.secret_files()
"""Passwords of one installation's servers: not part of the data, so in no backup."""
KEY = "secrets.key"
GRAFANA_DATA = "grafana-site/data/grafana.db"


def found(layout: Layout) -> dict[str, Path]:
    """Return name in the backup → file. The servers' own passwords stay: another server has its."""
    key = Path(os.environ.get("CITYOPS_SECRETS_KEY_FILE") or layout.state / KEY)
    routes = Path(os.environ.get("CITYOPS_ROUTES_FILE") or layout.routes_file)
    files = {
        KEY: key,
        layout.routes_file.name: routes if routes.exists() else DEFAULT_ROUTES,
        layout.receivers_file.name: layout.receivers_file,
    }
    for folder in (layout.secrets, layout.grafana_site / "secrets", layout.state / FOLDER):
        for file in sorted(folder.glob("*")):
            if file.name not in SERVER_SECRETS:
                files[str(file.relative_to(layout.state))] = file
    return {name: file for name, file in files.items() if file.is_file()}


def save(layout: Layout, writer: Writer) -> list[str]:
    """Write every file; return their names."""
    files = found(layout)
    for name, file in files.items():
        with writer.member(FILES + name) as out:
            out.write(file.read_bytes())
    data = layout.state / GRAFANA_DATA
    if data.is_file():  # accounts, stars and preferences of people
        with writer.member(FILES + GRAFANA_DATA) as out:
            out.write(_copy(data))
    return [*files, *([GRAFANA_DATA] if data.is_file() else [])]


def _copy(data: Path) -> bytes:
    """Return a whole copy of an SQLite database that is in use."""
    with tempfile.NamedTemporaryFile() as copy:
        with sqlite3.connect(f"file:{data}?mode=ro", uri=True) as source:
            target = sqlite3.connect(copy.name)
            source.backup(target)
            target.close()
        source.close()
        return Path(copy.name).read_bytes()


def put_back(layout: Layout, archive: zipfile.ZipFile, manifest: Manifest) -> list[Path]:
    """Write the files of a backup for their owner alone; return those that were written.

    Where the receivers' file names files of the old state folder, it names those of this one.
    Routes that equal this version's own are left out: those of a later version shall count.
    """
    written = []
    names = [n.removeprefix(FILES) for n in manifest.sha256 if n.startswith(FILES)]
    for name in sorted(names):
        target, content = _target(layout, name), archive.read(FILES + name)
        if name == layout.receivers_file.name:
            old, new = f"{manifest.state}/", f"{layout.state}/"
            content = content.decode().replace(old, new).encode()
        if name == layout.routes_file.name and content == DEFAULT_ROUTES.read_bytes():
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        target.write_bytes(content)
        written.append(target)
    return written


def _target(layout: Layout, name: str) -> Path:
    """Return where a file goes; ValueError for a name that leads out of the state folder."""
    target = (layout.state / name).resolve()
    if not target.is_relative_to(layout.state.resolve()):
        raise ValueError(f"{name} leads out of {layout.state}")
    if name == KEY and (elsewhere := os.environ.get("CITYOPS_SECRETS_KEY_FILE")):
        return Path(elsewhere)
    return target
