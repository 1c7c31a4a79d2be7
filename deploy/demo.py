"""The demo receiver: with it the city's alerts visibly go somewhere from the first run on."""

from __future__ import annotations

import base64
import re
import secrets
import sys

from deploy.paths import Layout
from deploy.plan import Process
from deploy.ports import LOOPBACK

OURS = re.compile(
    r'\[\[receivers\]\]\nname = "demo"\nurl = "http://127\.0\.0\.1:\d+/"\n'
    r'secret_file = "[^"\n]*/secrets/webhook"\n'
)


def demo_receiver(layout: Layout, ports: dict[str, int]) -> Process:
    """Write the receiver's secret and registration; return its process.

    A receivers file that somebody has changed stays as it is.
    """
    secret = layout.secrets / "webhook"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    file = layout.receivers_file
    if not file.exists() or OURS.fullmatch(file.read_text()):  # its port or folder may be another
        file.write_text(
            f'[[receivers]]\nname = "demo"\nurl = "http://{LOOPBACK}:{ports["receiver"]}/"\n'
            f'secret_file = "{secret}"\n'
        )
    line = [sys.executable, "-m", "alerts.delivery.receiver", str(ports["receiver"])]
    return Process("receiver", (*line, str(secret)))
