"""HTML to PDF through the Chromium of this machine, without a window and without the network."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from catalog.errors import FatalError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHOSEN = "CITYOPS_CHROMIUM"
TIMEOUT_S = 90.0


class NoPdfError(FatalError):
    """No PDF could be made; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="pdf", stage="delivering")


def browser() -> str:
    """Return the path of a Chromium; NoPdfError when there is none."""
    named = os.environ.get(CHOSEN)
    found = next(filter(None, map(shutil.which, (named,) if named else BROWSERS)), None)
    if found is None:
        raise NoPdfError(
            f"{CHOSEN}={named} is not a program"
            if named
            else "no Chromium on the path: install it (Debian: apt install chromium"
            f" fonts-noto-cjk), name one in {CHOSEN}, or ask for --no-pdf"
        )
    return found


def print_pdf(html: Path, pdf: Path) -> None:
    """Print a page; raises NoPdfError with the browser's own words when it fails."""
    with tempfile.TemporaryDirectory(prefix="cityops-report-") as profile:
        line = [
            *(browser(), "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}"),
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # as root it starts no other way
            *("--no-pdf-header-footer", f"--print-to-pdf={pdf}", html.resolve().as_uri()),
        ]
        try:
            done = subprocess.run(line, capture_output=True, text=True, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise NoPdfError(f"{line[0]} did not print within {TIMEOUT_S:.0f} s") from None
    if done.returncode or not pdf.exists() or not pdf.stat().st_size:
        raise NoPdfError(f"{line[0]} could not print: {done.stderr.strip()[-300:]}")
