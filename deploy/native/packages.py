"""System packages: installed when we are root, named in one clear message when we are not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy.errors import DeployError, MissingPackagesError
from deploy.progress import step

# program looked for -> Debian package that brings it
PROGRAMS = {
    "java": "default-jre-headless",
    "mvn": "maven",
    "mmdebstrap": "mmdebstrap",
    "patchelf": "patchelf",
    "chromium": "chromium",
    "pdftotext": "poppler-utils",
    "xmllint": "libxml2-utils",
}
BROWSER = ("fonts-noto-cjk", "libatomic1")
"""Beside Chromium: letters for Chinese, and what Playwright's own Node.js is linked with."""
TEST_PROGRAMS = ("chromium", "pdftotext", "xmllint")
TEST_EXTRAS = (*BROWSER, "libfaketime", "prometheus-alertmanager")
"""What the tests need beyond the servers; `setup --tests` has all of it before the first test."""


def missing(programs: Iterable[str]) -> list[str]:
    """Return the packages of those `programs` that are not on the path."""
    return [PROGRAMS[name] for name in programs if shutil.which(name) is None]


def ensure(programs: Iterable[str], extra: Iterable[str] = ()) -> None:
    """Make every program available; `extra` are packages that bring no program.

    Raises MissingPackagesError when something is missing and we may not install it.
    """
    programs = list(programs)
    _require_on_path(programs)
    wanted = [*missing(programs), *(name for name in extra if not installed(name))]
    packages = list(dict.fromkeys(wanted))
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingPackagesError(packages)
    install(packages)
    _require_on_path(programs)


def _require_on_path(programs: Iterable[str]) -> None:
    """Raise DeployError for a program that is not found although its package is installed."""
    for name in programs:
        if shutil.which(name) is None and installed(PROGRAMS[name]):
            raise DeployError(
                f"the package {PROGRAMS[name]} is installed, but its program {name} is not on the"
                f" PATH: {os.environ.get('PATH', '')}"
            )


def ensure_browser(extra: Iterable[str] = ()) -> None:
    """Make Chromium usable by Playwright and able to write Chinese; `extra` as in `ensure`."""
    ensure(["chromium"], extra=[*BROWSER, *extra])


def installed(package: str) -> bool:
    """Tell whether dpkg knows `package` as installed."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return asked.stdout.strip() == "installed"


def install(packages: list[str]) -> None:
    """Install Debian packages without questions; raises DeployError with apt's own words."""
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    with step(f"installing system packages: {' '.join(packages)}"):
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            _run([*apt, "update"])
        try:
            _run([*apt, "install", "-y", "--no-install-recommends", *packages])
        except DeployError:  # an old package list names files that are gone
            _run([*apt, "update"])
            _run([*apt, "install", "-y", "--no-install-recommends", *packages])


def _run(command: list[str]) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise DeployError(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}")
