"""The simulated city against its own labels: every injected fault, every scenario's alerts.

Faults: ``faults.py``. Scenarios: which alerts each must raise is told by the simulator beforehand,
from the physics alone; the engine's are held against that. Sound: ``sound.py``.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

from catalog.contracts import Transition
from catalog.registry import stream, streams
from engine.outputs import Outputs
from engine.partition import PartitionEngine
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.scenarios import Scenario, scenarios
from simulators.faults import NO_FAULTS
from simulators.forecast import Alarm, forecast
from simulators.live import LiveCity, Plan
from simulators.score import Score
from verify.truth import faults

START = datetime(2026, 11, 23, 16, tzinfo=UTC).timestamp()
"""Midnight in town before a Tuesday."""
Row = dict[str, Any]


def score_city(seed: int, say: Callable[[str], None]) -> Iterator[Row]:
    """Yield one row a kind of fault over all streams, one a stream and kind, and one a scenario."""
    by_kind: dict[str, list[Score]] = {}
    single: list[Row] = []
    for name in streams():
        say(f"faults of {name}")
        for s in faults.scores(name, seed):
            by_kind.setdefault(s.kind, []).append(s)
            single.append(row(f"fault: {s.kind}, {name}", s))
    for kind, scores in by_kind.items():
        yield row(f"fault: {kind}", *scores)
    yield from (r for r in single if r["made"] or r["flagged"])
    for scenario in scenarios().values():
        say(f"scenario {scenario.name}")
        yield alerts_of(scenario, seed)


def processed(live: LiveCity, name: str) -> Iterator[Outputs]:
    """Yield what one engine makes of the readings of a stream that wait, frame by frame."""
    engine = PartitionEngine(stream(name))
    for waiting in live.waiting:
        yield engine.process(waiting.batch, waiting.made_at)


def alerts_of(scenario: Scenario, seed: int) -> Row:
    """Return how the engine's alerts agree with those that the physics tell beforehand."""
    start = START + 19 * 3600
    event = Event(
        id="truth",
        name=scenario.name,
        start=start,
        duration_s=scenario.duration_s,
        where=scenario.where,
    )
    until = event.end + scenario.watch_s
    alarms = forecast(City(seed, [event]), start, until)
    wanted = {(a.rule, a.sensor): a for a in alarms}
    happened = [t for n in affected(alarms) for t in transitions(n, seed, event, until)]
    raised = {
        (t.rule, t.sensor): t.observed_at.timestamp()
        for t in reversed(happened)
        if t.kind == "raised" and start <= t.observed_at.timestamp() <= until
    }
    both = wanted.keys() & raised.keys()
    late = [abs(raised[key] - wanted[key].raised) for key in both]
    counts = (len(wanted), len(both), len(raised), len(both))
    return row(f"scenario: {scenario.name}", Score("scenario", *counts, delays=late))


def affected(alarms: list[Alarm]) -> list[str]:
    """Return the streams with alerts, in name order."""
    return sorted({alarm.rule.split(".")[0] for alarm in alarms})


def transitions(name: str, seed: int, event: Event, until: float) -> list[Transition]:
    """Return what the engine says of one stream's readings without faults."""
    longest = max([600.0, *(float(r.window_s) for r in stream(name).rolling)])
    begin = event.start - min(86_400.0, longest)
    live = LiveCity(Plan(names=(name,), seed=seed, faults=NO_FAULTS), begin)
    live.take_up([event])
    live.catch_up(until)
    return [t for out in processed(live, name) for t in out.transitions]


def row(what: str, *scores: Score) -> Row:
    """Return one line of the table of some scores together; a dash where there is nothing."""
    made, found = sum(s.made for s in scores), sum(s.found for s in scores)
    flags, explained = sum(s.flags or 0 for s in scores), sum(s.explained or 0 for s in scores)
    delays = [delay for s in scores for delay in s.delays]
    return {
        "what": what,
        "made": made,
        "found": found,
        "recall": found / made if made else None,
        "flagged": flags,
        "precision": explained / flags if flags else None,
        "delay s": round(median(delays)) if delays else None,
        "cannot be seen": sum(s.hidden for s in scores),
    }
