"""The simulated city against its own labels: every injected fault, every scenario's alerts.

Faults: a day of one stream with many faults is worked off by the engine, and its flags are held
against what was injected (``simulators/score.py``). Scenarios: which alerts each must raise is told
by the simulator beforehand, from the physics alone; the engine's are held against that.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

from catalog.contracts import FLAG_FAIL, FLAG_SUSPECT, Transition
from catalog.registry import stream, streams
from engine.outputs import Outputs
from engine.partition import PartitionEngine
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.fleet import catalog_fleet
from simulators.core.scenarios import Scenario, scenarios
from simulators.faults import NO_FAULTS, FaultRates
from simulators.forecast import Alarm, forecast
from simulators.live import LiveCity, Plan
from simulators.score import Flag, Score, detected
from simulators.truth import Label

FAULTS = FaultRates(stuck=1.0, spike=1e-3, late=0.01)
START = datetime(2026, 11, 23, 16, tzinfo=UTC).timestamp()
"""Midnight in town before a Tuesday."""
READINGS = 120_000
"""At most so many of a stream, whatever its cadence."""
LONGEST_S = 2 * 86_400
US = 1_000_000
Row = dict[str, Any]


def score_city(seed: int, say: Callable[[str], None]) -> Iterator[Row]:
    """Yield one row a kind of fault, summed over all streams, and one a scenario."""
    total: dict[str, list[int]] = {}
    for name in streams():
        say(f"faults of {name}")
        for s in faults_of(name, seed):
            counts = total.setdefault(s.kind, [0, 0, 0, 0])
            for place, n in enumerate((s.made, s.found, s.flags or 0, s.explained or 0)):
                counts[place] += n
    for kind, (made, found, flags, explained) in total.items():
        yield row(f"fault: {kind}", made, found, flags, explained)
    for scenario in scenarios().values():
        say(f"scenario {scenario.name}")
        yield alerts_of(scenario, seed)


def faults_of(name: str, seed: int) -> list[Score]:
    """Return what quality control found of the faults of one stream, hours long."""
    labels, flags = play_faults(name, seed)
    until = START + length_s(name)
    return detected([label for label in labels if is_telling(label, until)], flags)


def is_telling(label: Label, until: float) -> bool:
    """Tell whether a fault could be found: it arrived, or stuck as long as the test asks for."""
    if label.kind != "stuck":
        return label.at >= START and label.at + (label.delay_s or 0.0) < until
    flat = next(m.flat for m in stream(label.stream).metrics if m.name == label.metric)
    if flat is None or flat.ignore_zero:  # nobody can tell a dry road from a stuck zero
        return False
    end, cadence_s = min(label.until or until, until), stream(label.stream).cadence_s
    return label.at >= START and end - label.at > flat.suspect_s + 3 * cadence_s


def length_s(name: str) -> float:
    """Return how many seconds of a stream are played."""
    sensors = max(1, len(catalog_fleet(stream(name), 1)))
    return min(LONGEST_S, READINGS / sensors * stream(name).cadence_s)


def play_faults(name: str, seed: int) -> tuple[list[Label], list[Flag]]:
    """Return the labels of the injected faults and the engine's flags."""
    live = LiveCity(Plan(names=(name,), seed=seed, faults=FAULTS), START)
    labels = live.catch_up(START + length_s(name))
    flags = [
        Flag(s, sensor, "" if metric == "*" else metric, test, at / US)
        for out in processed(live, name)
        for s, sensor, at, metric, test, flag, _ in out.flags
        if flag in (FLAG_SUSPECT, FLAG_FAIL)
    ]
    return labels, flags


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
    told = row(f"scenario: {scenario.name}", len(wanted), len(both), len(raised), len(both))
    return told | {"delay s": median(late) if late else None}


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


def row(what: str, made: int, found: int, flags: int, explained: int) -> Row:
    """Return one line of the table; precision is a dash where nothing was flagged."""
    return {
        "what": what,
        "made": made,
        "found": found,
        "recall": found / made if made else None,
        "flagged": flags,
        "precision": explained / flags if flags else None,
        "delay s": None,
    }
