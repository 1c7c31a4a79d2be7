"""Fetch an official Grafana: address and checksum from grafana.toml, unpacked under the state."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tarfile
import tempfile
import tomllib
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
            _unpack(archive, folder)

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


def _unpack(archive: IO[bytes], folder: Path) -> None:
    """Unpack without the archive's top folder; the filter refuses paths that lead out."""
    try:
        with tarfile.open(fileobj=archive, mode="r:gz") as tar:
            for member in tar:
                member.name = member.name.removeprefix("./").partition("/")[2]
                if member.name:
                    tar.extract(member, folder, filter="data")
    except tarfile.TarError as error:
        raise DeployError(f"the archive of Grafana is broken: {error}") from error
    if not os.access(folder / PROGRAM, os.X_OK):
        raise DeployError(f"the archive of Grafana holds no {PROGRAM}")
