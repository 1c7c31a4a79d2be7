"""The file of a backup: a zip of the database's dump, our files, and a manifest of both."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from deploy.errors import DeployError

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
FILES = "files/"
CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `tables` are the rows of each table in the dump's own snapshot."""

    made_at: str
    server: str
    timescaledb: str
    kafka_cluster: str
    state: str
    tables: dict[str, int]
    roles: list[str]
    sha256: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


class Writer:
    """Writes members and remembers their checksums."""

    def __init__(self, out: zipfile.ZipFile) -> None:
        self._out = out
        self._sha256: dict[str, str] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[_Hashing]:
        """Give a file to write one member into; its size need not be known before."""
        with self._out.open(name, "w", force_zip64=True) as target:
            hashing = _Hashing(target)
            yield hashing
        self._sha256[name] = hashing.digest.hexdigest()

    def close(self, manifest: Manifest) -> None:
        """Write the manifest, last: a file without one was broken off."""
        manifest.sha256.update(self._sha256)
        self._out.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2, ensure_ascii=False))


class _Hashing:
    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._target.write(data)


@contextmanager
def written(file: Path) -> Iterator[Writer]:
    """Give a writer of `file`, which is there (mode 0600) only when the block ends well."""
    part = file.with_name(f".{file.name}.part")
    part.touch(mode=0o600)
    try:
        with part.open("wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as out:
                yield Writer(out)
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Give a backup and its manifest; DeployError when it is none, broken, or of another format."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, _manifest(archive, file)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DeployError(f"{file} is no whole backup: {error}") from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    said: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if said.get("format") != FORMAT:
        raise DeployError(
            f"{file} is of format {said.get('format')}, this version reads {FORMAT}: restore it"
            " with the version that made it, then upgrade"
        )
    return Manifest(**said)


def verify(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Read every member and compare its checksum; DeployError names the first that differs."""
    for name, expected in manifest.sha256.items():
        digest = hashlib.sha256()
        try:
            with archive.open(name) as member:
                while chunk := member.read(CHUNK):
                    digest.update(chunk)
        except (KeyError, zipfile.BadZipFile) as error:
            raise DeployError(f"the backup is damaged: {name}: {error}") from error
        if digest.hexdigest() != expected:
            raise DeployError(f"the backup is damaged: {name} has another checksum")
