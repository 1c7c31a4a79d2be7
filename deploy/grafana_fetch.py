"""Fetch an official Grafana: address and checksum from grafana.toml, unpacked under the state."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from deploy.errors import DeployError
from deploy.native.cache import once
from deploy.paths import ROOT

BUILD_FILE = ROOT / "deploy" / "grafana.toml"
TIMEOUT_S = 20.0
PROGRAM = "bin/grafana"


@dataclass(frozen=True, slots=True)
class Build:
    """One archive of Grafana."""

    version: str
    url: str
    sha256: str


def wanted(machine: str = "") -> Build:
    """Return the build for this machine from grafana.toml, or from CITYOPS_GRAFANA_BUILD."""
    file = Path(os.environ.get("CITYOPS_GRAFANA_BUILD") or BUILD_FILE)
    machine = machine or platform.machine()
    try:
        said = tomllib.loads(file.read_text())
        return Build(said["version"], said[machine]["url"], said[machine]["sha256"].lower())
    except KeyError as missing:
        raise DeployError(f"{file} names no Grafana for {machine}: {missing} is missing") from None
    except (OSError, ValueError) as error:
        raise DeployError(f"cannot read {file}: {error}") from error


def fetch(build: Build, target: Path) -> Path:
    """Fetch, verify and unpack `build` as `target`, whole or not at all.

    Raises DeployError when the address cannot be reached, the checksum differs, or the archive
    holds no Grafana.
    """

    def fill(folder: Path) -> None:
        with tempfile.TemporaryFile(dir=folder.parent) as archive:
            _download(build, archive)
            archive.seek(0)
            unpack(archive, folder)
            if not os.access(folder / PROGRAM, os.X_OK):
                raise DeployError(f"the archive of Grafana holds no {PROGRAM}")

    return once(target, fill)


def _download(build: Build, archive: IO[bytes]) -> None:
    digest = hashlib.sha256()
    screen = Console(stderr=True, quiet=not sys.stderr.isatty())
    columns = ("[progress.description]{task.description}", BarColumn(), DownloadColumn())
    try:
        with (
            httpx.stream("GET", build.url, follow_redirects=True, timeout=TIMEOUT_S) as answer,
            Progress(*columns, TransferSpeedColumn(), console=screen, transient=True) as bar,
        ):
            answer.raise_for_status()
            size = float(answer.headers.get("content-length", 0)) or None
            task = bar.add_task(f"Grafana {build.version}", total=size)
            for chunk in answer.iter_bytes():
                digest.update(chunk)
                archive.write(chunk)
                bar.advance(task, len(chunk))
    except httpx.HTTPError as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise DeployError(
            f"Grafana {build.version} cannot be fetched here, nothing was changed: {why}"
        ) from error
    if digest.hexdigest() != build.sha256:
        raise DeployError(
            f"what {build.url} gave is not Grafana {build.version}, nothing was changed: "
            f"SHA-256 {digest.hexdigest()}, expected {build.sha256}"
        )


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Unpack folders, files and links without the archive's top folder.

    Raises DeployError for a member of another kind, or one that leads out of `folder`. The
    standard library's own filter came with Python 3.11.4; Debian 12 has 3.11.2.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r:gz") as tar:
            for member in tar:
                name = member.name.removeprefix("./").partition("/")[2]
                if name:
                    _extract(tar, member, folder.resolve(), name)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DeployError(f"the archive of Grafana is broken: {error}") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, name: str) -> None:
    target = _inside(folder, folder / name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
    elif member.issym():
        _inside(folder, target.parent / member.linkname)
        target.symlink_to(member.linkname)
    elif member.isfile() and (content := tar.extractfile(member)) is not None:
        target.unlink(missing_ok=True)  # a link of that name would be followed
        with target.open("wb") as out:
            shutil.copyfileobj(content, out)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
    else:
        raise tarfile.TarError(f"{member.name} is neither file nor folder nor link")


def _inside(folder: Path, path: Path) -> Path:
    """Return `path`, its folder's links followed; TarError when it is not below `folder`."""
    real = path.parent.resolve() / path.name
    if path.name == ".." or not real.resolve().is_relative_to(folder):
        raise tarfile.TarError(f"{path} leads out of the folder")
    return real
