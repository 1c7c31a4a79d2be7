"""Tell what a rule did with a hand-made log, by the reference and by the engine."""

from collections.abc import Iterable
from typing import Any

from catalog.model import Stream
from catalog.registry import stream
from catalog.ticks import Tick
from engine.partition import PartitionEngine
from tests.property.logs import START, US, Frame, Log, Received, Record, run_engine, run_reference
from verify.oracle.outputs import plain

Story = list[tuple[str, int, int]]
"""(kind, severity, seconds after START)."""

Doubts = list[tuple[str, int, str]]
"""(kind, severity, reason): the reason is empty where nothing is in doubt."""


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


def readings(
    sensor: str, metric: str, *rows: tuple[float, float | None], received: float | None = None
) -> Log:
    """Return a log with a frame for each (seconds after START, value).

    With ``received`` every frame was received at that many seconds after START.
    """
    frames: list[Frame] = [
        ((sensor, round((START + at) * US), {metric: value}),) for at, value in rows
    ]
    if received is None:
        return frames
    return [Received(frame, round((START + received) * US)) for frame in frames]


def ticks(first: int, last: int) -> Log:
    """Return a tick for each second after START from ``first`` to ``last``."""
    return [Tick(START + second) for second in range(first, last + 1)]


def live(*logs: Log, until: int, lag_s: int = 0) -> Log:
    """Return logs with a tick each second, each reading ``lag_s`` after the time it names.

    A frame comes after the tick of its own second; one with ``received`` comes at that time.
    """
    arrivals: dict[int, list[Record]] = {}
    for log in logs:
        for record in log:
            arrivals.setdefault(_arrival(record, lag_s), []).append(record)
    found: list[Record] = []
    for second in range(min([0, *arrivals]), until + 1):
        found += [Tick(START + second), *arrivals.get(second, ())]
    return found


def _arrival(record: Record, lag_s: int) -> int:
    if isinstance(record, Received):
        return record.at // US - START
    assert isinstance(record, tuple)
    return max(at for _, at, _ in record) // US - START + lag_s


def of_rule(result: dict[str, Any], rule: str, sensors: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return a rule's transitions in order of time; of these sensors alone, if any are named."""
    known = set(sensors)
    found = [
        t
        for t in result["transitions"].values()
        if t["rule"] == rule and (not known or t["sensor"] in known)
    ]
    return sorted(found, key=lambda t: t["observed_at"])


def story(result: dict[str, Any], rule: str, *sensors: str) -> Story:
    """Return what a rule did, in order of time."""
    found = of_rule(result, rule, sensors)
    return [(t["kind"], t["severity"], t["observed_at"] // US - START) for t in found]


def tell(declared: str | Stream, rule: str, log: Log, *sensors: str) -> Story:
    """Return what a rule did (on these sensors alone); reference and engine must agree on it."""
    wanted, found = (story(result, rule, *sensors) for result in both(declared, log))
    assert found == wanted
    return found


def doubts(declared: str | Stream, rule: str, log: Log) -> Doubts:
    """Return how sure a rule was of what it did; reference and engine must agree on it."""
    wanted, found = (of_rule(result, rule) for result in both(declared, log))
    assert found == wanted
    assert all((t["confidence"] == "unconfirmed") <= bool(t["reason"]) for t in found)
    return [(t["kind"], t["severity"], t["reason"]) for t in found]


def flags(declared: str | Stream, log: Log) -> list[tuple[int, str, str, int]]:
    """Return (seconds after START, metric, test, flag), on which both must agree."""
    wanted, found = (result["flags"] for result in both(declared, log))
    assert found == wanted
    return sorted(
        (at // US - START, metric, test, flag) for _, _, at, metric, test, flag, _ in found
    )
