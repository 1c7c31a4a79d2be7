"""What a process of ours says of itself."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from deploy.ports import LOOPBACK


def ask(port: object) -> dict[str, Any]:
    """Return the body of `/health`, well or unwell; empty while nothing answers.

    ValueError when what answers is not JSON.
    """
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/health", timeout=2) as answer:
            return json.load(answer)
    except HTTPError as refused:
        with refused:
            return json.load(refused)
    except (URLError, OSError):
        return {}
