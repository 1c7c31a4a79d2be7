"""Where PostgreSQL's programs come from: installed ones, else Debian's packages unpacked.

Debian 12 has no TimescaleDB package, so the packages of Debian 13 are unpacked into the cache,
together with the C library they were built for, and their programs are pointed at that library.
Nothing is installed into the system and no cluster of the distribution is created or touched.
"""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

from deploy.errors import DeployError
from deploy.native import packages
from deploy.native.cache import once
from deploy.progress import step

MAJOR = 17
SUITE = "trixie"
UNPACKED = (f"postgresql-{MAJOR}", f"postgresql-{MAJOR}-timescaledb")
KEYRING = "debian-archive-keyring"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
# libraries and papers that a headless server never opens
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/perl", "usr/share/locale", "var", "dev")


def install(cache: Path) -> Path:
    """Return the folder of `postgres`, `initdb` and friends with TimescaleDB beside them."""
    if found := installed():
        return found
    target = _target(cache)
    packages.ensure(*needed(cache))
    return once(target, partial(_unpack, target)) / f"usr/lib/postgresql/{MAJOR}/bin"


def needed(cache: Path) -> tuple[list[str], list[str]]:
    """Return programs and further packages that unpacking takes; none when all is there."""
    if installed() or _target(cache).exists():
        return [], []
    return ["mmdebstrap", "patchelf"], [KEYRING, "tzdata"]


def _target(cache: Path) -> Path:
    return cache / f"timescaledb-{SUITE}-{MAJOR}"


def installed(root: Path = Path("/usr/lib/postgresql")) -> Path | None:
    """Return the newest installed server that has TimescaleDB and is new enough."""
    extensions = root.glob("*/lib/timescaledb.so")
    majors = (int(path.parts[-3]) for path in extensions if path.parts[-3].isdigit())
    newest = max((major for major in majors if major >= MAJOR), default=None)
    return None if newest is None else root / str(newest) / "bin"


def _unpack(target: Path, folder: Path) -> None:
    line = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(UNPACKED)}"]
    if os.geteuid() != 0:  # nothing runs in the tree: neither root nor a namespace is needed
        line.append("--mode=chrootless")
    with step("installing TimescaleDB (about half a minute)"):
        tree = folder / "tree"
        _run([*line, SUITE, str(tree)])
        for name in ("usr", "etc"):
            (tree / name).rename(folder / name)
        _run(["rm", "-rf", str(tree), *(str(folder / name) for name in UNUSED)])
        _point_at_own_library(folder, target)
    _run(["chmod", "-R", "go+rX", str(folder)])


def _point_at_own_library(folder: Path, target: Path) -> None:
    """Set loader and library path of every program to where the folder will be in the end."""
    search = f"{target}/usr/lib/x86_64-linux-gnu:{target}/usr/lib/postgresql/{MAJOR}/lib"
    for program in (folder / f"usr/lib/postgresql/{MAJOR}/bin").iterdir():
        if program.is_file() and program.read_bytes()[:4] == b"\x7fELF":
            change = ["--set-interpreter", f"{target}/{LOADER}"]
            # an rpath, unlike a runpath, also serves the libraries' own dependencies
            change += ["--force-rpath", "--set-rpath", search]
            _run(["patchelf", *change, str(program)])


def _run(line: list[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise DeployError(f"{' '.join(line[:3])} … failed:\n{done.stderr.strip()[-2000:]}")
