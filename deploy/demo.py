"""The demo receiver: with it the city's alerts visibly go somewhere from the first run on."""

from __future__ import annotations

import base64
import secrets
import sys

from deploy.paths import Layout
from deploy.plan import Process
from deploy.ports import LOOPBACK


def demo_receiver(layout: Layout, ports: dict[str, int]) -> Process:
    """Write the receiver's secret and registration; return its process.

    A receivers file that exists is somebody's own and stays.
    """
    secret = layout.secrets / "webhook"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    if not layout.receivers_file.exists():
        layout.receivers_file.write_text(
            f'[[receivers]]\nname = "demo"\nurl = "http://{LOOPBACK}:{ports["receiver"]}/"\n'
            f'secret_file = "{secret}"\n'
        )
    line = [sys.executable, "-m", "alerts", "receiver", "--port", str(ports["receiver"])]
    return Process("receiver", (*line, "--secret-file", str(secret)))
