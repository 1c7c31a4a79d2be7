"""What the worker's engine spends its time on: a profile over the readings of the bench."""

import cProfile
import pstats
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.parts import desk_and_frames
from deploy.paths import ROOT

READINGS = 600_000
LEAST = 0.015
"""Share of the whole from which a function is told."""


def run(share: float, sensors: int) -> list[dict[str, str | float]]:
    """Return the platform's own functions: share of the time inside them, with and without what
    they call. The profiler makes many small calls look dearer than they are."""
    desk, frames, headers = desk_and_frames(round(READINGS * share), sensors)
    profiler, now = cProfile.Profile(), datetime.now(UTC)
    with profiler:
        for offset, (place, value) in enumerate(frames):
            desk.handle(place, offset, value, headers, now)
            desk.outbox.clear()
    # (file, line, name): (calls, calls, seconds inside, seconds with what it calls, callers)
    known: dict[Any, Any] = getattr(pstats.Stats(profiler), "stats")  # noqa: B009  (not typed)
    whole = sum(inside for _, _, inside, _, _ in known.values())
    found = [
        {"function": f"{path}:{name}", "share": total / whole, "own_share": inside / whole}
        for (file, _, name), (_, _, inside, total, _) in known.items()
        if (path := _within(file)) and total >= LEAST * whole
    ]
    return sorted(found, key=lambda row: -float(row["share"]))


def _within(file: str) -> str:
    """Return the path within the project; empty for a library's."""
    path = Path(file)
    inside = path.is_relative_to(ROOT) and ".venv" not in path.parts
    return str(path.relative_to(ROOT)) if inside else ""
