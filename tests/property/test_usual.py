"""What is usual: the engine and the plain reference agree on days of readings, however replayed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.registry import stream
from catalog.ticks import Tick
from engine.partition import PartitionEngine
from tests.property.logs import START, US, Frame, Record, feed, keep, run_engine, run_reference
from verify.oracle.compare import compare
from verify.oracle.outputs import plain

HOUR_S = 3600
DAYS, LONG_DAYS = 4, 16
"""So long that a day does not weigh as its share of all days any more."""
names = st.sampled_from(["traffic_flow", "traffic_link"])


@st.composite
def days_of(draw: st.DrawFn, name: str) -> list[Record]:
    """Draw days of readings of two sensors: a daily wave with noise, gaps, and hours far off it.

    The noise is drawn as a seed: what matters is how a series goes on, not its single numbers.
    """
    declared = stream(name)
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step = draw(st.sampled_from([900, 1800, 2700, HOUR_S, HOUR_S]))
    days = DAYS if step < HOUR_S else LONG_DAYS
    at, end = START, START + days * 24 * HOUR_S
    odd = draw(st.lists(st.tuples(st.integers(50, days * 24), st.floats(0.1, 4)), max_size=4))
    log: list[Record] = []
    while at < end:
        at += step if noise.random() > 0.02 else 5 * step
        share = next((s for h, s in odd if h <= (at - START) // HOUR_S < h + 4), 1.0)
        wave = 1 + 0.3 * np.sin(at / HOUR_S / 24 * 6.28)
        frame = [
            (sensor, (at + own) * US, _reading(declared.metrics, wave * share, noise))
            for own, sensor in enumerate(("a", "b")[: noise.integers(1, 3)])
        ]
        log.append(tuple(frame))
    return log


def _reading(metrics: tuple, level: float, noise: np.random.Generator) -> dict[str, float | None]:  # type: ignore[type-arg]
    found: dict[str, float | None] = {}
    for metric in metrics:
        low, high = metric.typical
        x = (low + high) / 2 * level * (1 + 0.1 * noise.standard_normal())
        x = min(max(x, metric.fail_span[0]), metric.fail_span[1])
        found[metric.name] = None if noise.random() < 0.02 else round(x * 64) / 64
    return found


@given(data=st.data())
def test_unusual_alerts_are_those_of_the_reference(data: st.DataObject) -> None:
    name = data.draw(names)
    log = data.draw(days_of(name))
    wanted = run_reference(stream(name), log)
    found = run_engine(PartitionEngine(stream(name)), log)
    told = {i: plain(t) for i, t in wanted.transitions.items()}
    difference = compare("transitions", told, found.transitions)
    assert not difference, str(difference)


def test_such_days_do_raise_unusual_alerts() -> None:
    """What the test above compares is not nothing."""
    noise, log = np.random.default_rng(1), list[Record]()
    metrics = stream("traffic_flow").metrics
    for n in range(DAYS * 24):
        slow = 0.2 if n in (76, 77) else 1.0
        frame: Frame = (("a", (START + n * HOUR_S) * US, _reading(metrics, slow, noise)),)
        log.append(frame)
    seen = run_engine(PartitionEngine(stream("traffic_flow")), log)
    kinds = [(t["rule"], t["kind"]) for t in seen.transitions.values()]
    assert ("traffic_flow.unusually_slow", "raised") in kinds
    assert ("traffic_flow.unusually_slow", "cleared") in kinds


ENDS = [3600, 4000, 8000]
"""How long, in seconds, nothing usable or only the same comes after an unusual hour."""


@st.composite
def broken_off(draw: st.DrawFn) -> list[Record]:
    """Draw days of a lane that becomes slow; then it falls silent, is stuck or sends nonsense."""
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    metrics = stream("traffic_flow").metrics
    log, at = list[Record](), START
    first_slow, hours = draw(st.sampled_from([74, 78])), 78  # before the first free day
    for n in range(hours):
        at = START + n * HOUR_S
        log.append((("a", at * US, _reading(metrics, 0.2 if n >= first_slow else 1.0, noise)),))
    tick = at
    for _ in range(draw(st.integers(1, 4))):
        how = draw(st.sampled_from(["silent", "stuck", "failed", "missing", "well"]))
        lasts, beside = draw(st.sampled_from(ENDS)), draw(st.integers(0, 3)) > 0
        level, until = draw(st.sampled_from([0.2, 1.0])), at + lasts
        kept = _reading(metrics, level, noise)
        while at < until:
            at += 120
            values = dict(kept) if how == "stuck" else _reading(metrics, level, noise)
            if how in ("failed", "missing"):
                values["speed_km_h"] = -99.0 if how == "failed" else None
            if how != "silent":
                log.append((("a", at * US, values),))
            if beside:
                log += [Tick(tick + second) for second in range(1, 121)]
                tick += 120
    return log


@given(log=broken_off())
def test_unusual_alerts_end_as_those_of_the_reference(log: list[Record]) -> None:
    wanted = run_reference(stream("traffic_flow"), log)
    found = run_engine(PartitionEngine(stream("traffic_flow")), log)
    told = {i: plain(t) for i, t in wanted.transitions.items()}
    difference = compare("transitions", told, found.transitions)
    assert not difference, str(difference)


@given(data=st.data())
def test_baselines_outlive_a_restart(data: st.DataObject) -> None:
    name = data.draw(names)
    log = data.draw(days_of(name))
    cut = data.draw(st.integers(0, len(log)))
    whole, first = PartitionEngine(stream(name)), PartitionEngine(stream(name))
    seen, parts = run_engine(whole, log), run_engine(first, log[:cut])
    second = PartitionEngine(stream(name))
    second.restore(first.snapshot())
    for record in log[cut:]:
        keep(parts, stream(name), feed(second, record))
    assert parts == seen
    assert second.snapshot() == whole.snapshot()
