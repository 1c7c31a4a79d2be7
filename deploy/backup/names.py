"""Where backups lie and how their files are called."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.paths import Layout

MANUAL, DAILY = "cityops", "cityops-daily"
STAMP = "%Y%m%dT%H%M%SZ"


def folder(layout: Layout) -> Path:
    """Return where backups go: CITYOPS_BACKUP_DIR, else `backups` of the state folder."""
    given = os.environ.get("CITYOPS_BACKUP_DIR")
    return Path(given).absolute() if given else layout.state / "backups"
