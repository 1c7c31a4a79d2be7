"""Docker: whether an engine is there to be used."""

from __future__ import annotations

import shutil
import subprocess


def docker_answers() -> bool:
    """Tell whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:
        return False
