"""Every dashboard, built once for all tests that only look at it."""

from typing import Any

from dashboards.build import dashboards

BOARDS: dict[str, dict[str, Any]] = dashboards()
"""By file name."""

BY_UID = {board["uid"]: board for board in BOARDS.values()}
