"""Tell what a rule did with a hand-made log, by the reference and by the engine."""

from typing import Any

from catalog.model import Stream
from catalog.registry import stream
from streams.engine.partition import PartitionEngine
from tests.oracle.outputs import plain
from tests.property.logs import START, US, Log, run_engine, run_reference

Story = list[tuple[str, int, int]]
"""(kind, severity, seconds after START)."""


def both(declared: str | Stream, log: Log) -> list[dict[str, Any]]:
    """Return windows, flags, transitions and words by the reference, then by the engine."""
    declared = stream(declared) if isinstance(declared, str) else declared
    wanted, found = run_reference(declared, log), run_engine(PartitionEngine(declared), log)
    changes = {i: plain(t) for i, t in wanted.transitions.items()}
    return [
        {
            "windows": wanted.windows,
            "flags": wanted.flags,
            "transitions": changes,
            "words": wanted.words,
        },
        {
            "windows": found.windows,
            "flags": found.flags,
            "transitions": found.transitions,
            "words": found.words,
        },
    ]


def readings(sensor: str, metric: str, *rows: tuple[float, float | None]) -> Log:
    """Return a log with a frame for each (seconds after START, value)."""
    return [((sensor, round((START + at) * US), {metric: value}),) for at, value in rows]


def story(result: dict[str, Any], rule: str) -> Story:
    """Return what a rule did, in order of time."""
    found = [t for t in result["transitions"].values() if t["rule"] == rule]
    found.sort(key=lambda t: t["observed_at"])
    return [(t["kind"], t["severity"], t["observed_at"] // US - START) for t in found]


def tell(declared: str | Stream, rule: str, log: Log) -> Story:
    """Return what a rule did; reference and engine must agree on it."""
    wanted, found = (story(result, rule) for result in both(declared, log))
    assert found == wanted
    return found


def flags(declared: str | Stream, log: Log) -> list[tuple[int, str, str, int]]:
    """Return (seconds after START, metric, test, flag), on which both must agree."""
    wanted, found = (result["flags"] for result in both(declared, log))
    assert found == wanted
    return sorted(
        (at // US - START, metric, test, flag) for _, _, at, metric, test, flag, _ in found
    )
