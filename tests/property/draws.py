"""Random logs of one partition: frames and ticks around every edge the declarations draw."""

import math
from dataclasses import dataclass, field

from hypothesis import strategies as st

from catalog.model import HealthRule, Metric, SensorAttribute, Stream, ThresholdRule
from catalog.overrides import Override
from catalog.sensors import sensors_of
from catalog.ticks import HEARING, Pulse, Tick, Word
from tests.property.logs import START, US, Frame, Log, Received, Record
from verify.oracle.reference import Values

MARGIN_S = 65


def sensor_names(stream: Stream) -> list[str]:
    """Return two sensors that the catalog knows (their attributes differ) and one it does not."""
    return [*(s.id for s in sensors_of(stream.name)[:2]), "stranger-1"]


def values_of(stream: Stream, metric: Metric) -> st.SearchStrategy[float | None]:
    """Return values at, just inside and just outside every limit of the metric, missing, typical.

    All are multiples of 1/64 or limits themselves, so that sums do not depend on their order.
    """
    edges = [*metric.fail_span, *(metric.suspect_span or ()), *metric.typical]
    edges += [limit for rule in stream.rules for limit in _limits(stream, rule, metric.name)]
    near = [x + d for x in edges for d in (0.0, -1 / 64, 1 / 64)]
    low, high = (math.ceil(x * 64) for x in metric.typical)
    quiet = st.integers(low, max(low, high)).map(lambda x: x / 64)
    return st.one_of(quiet, st.none(), quiet, st.sampled_from(near))


def _limits(stream: Stream, rule: object, metric: str) -> list[float]:
    if not isinstance(rule, ThresholdRule) or rule.metric != metric:
        return []
    known = [s.attributes for s in sensors_of(stream.name)[:2]]
    found: list[float] = []
    for threshold in rule.thresholds:
        own = threshold.value
        if isinstance(own, SensorAttribute):
            found += [a[own.attribute] + own.offset for a in known if own.attribute in a]
        else:
            found.append(float(own))
    return found + [x - rule.deadband for x in found] + [x + rule.deadband for x in found]


def changes(stream: Stream, metric: Metric) -> st.SearchStrategy[float]:
    """Return changes from one value to the next: none, small ones, around jumps and rates."""
    near = [0.0, 1 / 64]
    for edge in metric.spike or ():
        near += [edge, edge - 1 / 64, edge + 1 / 64]
    if metric.rate_per_min is not None:
        allowed = metric.rate_per_min * stream.cadence_s / 60
        near += [allowed, allowed + 1 / 64]
    return st.sampled_from(near + [-x for x in near])


def gaps(stream: Stream) -> st.SearchStrategy[int]:
    """Return seconds by which event time moves on (or back) between two readings of a log."""
    edges = {1, 30, 59, 60, 61, stream.cadence_s, stream.lateness_s}
    for rule in stream.rules:
        if isinstance(rule, ThresholdRule | HealthRule):
            edges |= {int(rule.for_s), int(rule.clear_s)}
    for metric in stream.metrics:
        if metric.flat is not None:
            edges |= {int(metric.flat.suspect_s), int(metric.flat.fail_s)}
    for rolling in stream.rolling:
        edges |= {rolling.bucket_s, rolling.window_s - rolling.bucket_s, rolling.window_s}
    forward = st.sampled_from(sorted(edges | {e + 1 for e in edges}))
    steps = [1, 59, 60, stream.lateness_s, stream.lateness_s + 1]
    back = st.sampled_from([-s for s in [*steps, *(r.bucket_s for r in stream.rolling)]])
    usual = st.just(stream.cadence_s)
    return st.one_of(usual, usual, usual, forward, st.just(0), back)


def waits(stream: Stream) -> st.SearchStrategy[int]:
    """Return how many ticks pass: around all that is counted in ticks."""
    edges = {1, stream.cadence_s, int(1.5 * stream.cadence_s)}
    for rule in stream.rules:
        if isinstance(rule, ThresholdRule):
            edges |= {int(rule.for_s), int(rule.clear_s)}
        edges.add(getattr(rule, "after_s", 1))
    near = sorted({e + d for e in edges if e <= LONGEST_WAIT for d in (0, 1, 2)})
    short = st.sampled_from([n for n in near if n <= 2 * stream.cadence_s])
    return st.one_of(st.sampled_from([1, 1, 2]), short, st.sampled_from(near))


PULSES = st.one_of(
    st.none(),
    st.builds(Pulse, st.sampled_from([0, 1, 30, 119, 120, 121, 600]), st.sampled_from([0, 5, 300])),
)
LONGEST_WAIT = 700
AHEAD_S = (-1, 0, 1, 2, 3, 290)
"""How far the newest reading of a frame is ahead of the frame's arrival."""


@dataclass
class Scene:
    """Where the drawing of a log stands; times are epoch seconds."""

    stream: Stream
    at: int = START
    tick: int = START
    shown: dict[tuple[str, str], float] = field(default_factory=dict)
    log: list[Record] = field(default_factory=list)


@st.composite
def logs(draw: st.DrawFn, stream: Stream, max_records: int = 16, *, clocks: bool = True) -> Log:
    """Draw a log: frames of 1 to 6 readings of three sensors, ticks, words, gaps of every kind.

    With ``clocks`` some frames say when they were received, and some devices' clocks are wrong.
    """
    scene = Scene(stream)
    for _ in range(draw(st.integers(1, max_records))):
        what = draw(st.integers(0, 12))
        if what == 0:
            word = draw(st.tuples(st.integers(0, 3), st.sampled_from(HEARING)))
            scene.log.append(Word(*word, at=scene.tick - draw(st.integers(0, 2))))
        elif what == 1:
            _override(draw, scene)
        elif what <= 4:
            _wait(draw, scene)
        elif what == 5 and scene.log:
            scene.log.append(draw(st.sampled_from(scene.log)))
        else:
            _send(draw, scene, clocks)
    return scene.log


def _override(draw: st.DrawFn, scene: Scene) -> None:
    """Set or take back something for a sensor, by an older revision now and then."""
    metric = draw(st.sampled_from([m for m in scene.stream.metrics if not m.is_named] or [None]))
    if metric is None:
        return
    near = draw(st.tuples(values_of(scene.stream, metric), values_of(scene.stream, metric)))
    span = (min(near), max(near)) if None not in near and near[0] != near[1] else None  # type: ignore[type-var]
    step = draw(st.sampled_from([None, 1 / 64, 0.5, *(metric.spike or ())]))
    scene.log.append(
        Override(
            revision=len(scene.log) + draw(st.sampled_from([1, 1, 1, -3])),
            sensor=draw(st.sampled_from(sensor_names(scene.stream))),
            metric=metric.name,
            span=draw(st.sampled_from([span, None])),  # type: ignore[arg-type]
            floor=draw(values_of(scene.stream, metric)),
            resolution=step,
            until=draw(st.sampled_from([None, scene.tick + 1, scene.tick + 40])),
        )
    )


def _wait(draw: st.DrawFn, scene: Scene) -> None:
    """Let ticks pass; after a long wait some device's clock may be set back."""
    count, pulse = draw(waits(scene.stream)), draw(PULSES)
    scene.tick += draw(st.sampled_from([0, 1])) - 1
    for second in range(count):
        scene.tick += 1
        quiet = pulse and Pulse(pulse.quiet_s + second, pulse.cadence_s)
        scene.log.append(Tick(scene.tick, quiet))
    if count > 1.5 * scene.stream.cadence_s and draw(st.booleans()):
        lateness = scene.stream.lateness_s
        back = st.sampled_from([1, scene.stream.cadence_s, lateness - 1, lateness])
        scene.at -= draw(back) + scene.stream.cadence_s


def _send(draw: st.DrawFn, scene: Scene, clocks: bool) -> None:
    frame = []
    for _ in range(draw(st.sampled_from([1, 1, 2, 3, 6]))):
        scene.at += draw(gaps(scene.stream))
        sensor = draw(st.sampled_from(sensor_names(scene.stream)))
        frame.append((sensor, scene.at * US, _values(draw, scene, sensor)))
    record: Frame | Received = tuple(frame)
    if clocks and draw(st.booleans()):
        received = scene.at - draw(st.sampled_from(AHEAD_S))
        record, scene.at = Received(record, received * US), min(scene.at, received)
    scene.log.append(record)
    scene.tick = max(scene.tick, scene.at + draw(st.sampled_from([-5, 2, MARGIN_S])))


def _values(draw: st.DrawFn, scene: Scene, sensor: str) -> Values:
    """Draw a reading: each metric at some edge, or a change away from what it showed before."""
    values: Values = {}
    for metric in scene.stream.metrics:
        before = scene.shown.get((sensor, metric.name))
        if before is None or draw(st.integers(0, 2)) == 0:
            x = draw(values_of(scene.stream, metric))
        else:
            x = before + draw(changes(scene.stream, metric))
        values[metric.name] = x
        if x is not None and draw(st.integers(0, 3)):  # else the next is compared with the origin
            scene.shown[sensor, metric.name] = x
        if draw(st.integers(0, 15)) == 0:
            values[f"{metric.name}_flag"] = draw(st.sampled_from([1, 2, 3, 4]))
    return values


@st.composite
def leaps(draw: st.DrawFn, stream: Stream, max_readings: int = 10) -> Log:
    """Draw a log of one sensor that leaps between quiet and alarming, with ticks after each word.

    What was held, looked at and proven wrong meets ``for``, ``clear`` and the next leap here.
    """
    sensor, log, at, tick = sensor_names(stream)[0], list[Record](), START, START
    levels = {}
    for metric in stream.metrics:
        far = metric.spike[0] + 1 / 64 if metric.spike else 1.0
        limits = [x for r in stream.rules for x in _limits(stream, r, metric.name)]
        known = [*metric.typical, metric.typical[1] + far, metric.typical[0] - far, *limits]
        levels[metric.name] = st.sampled_from([metric.typical[0], *known])
    cadence = stream.cadence_s
    waited = st.sampled_from([0, 1, cadence, cadence + 1, cadence + 2, int(1.5 * cadence) + 1])
    for _ in range(draw(st.integers(2, max_readings))):
        values: Values = {}
        for name, level in levels.items():
            x = draw(level)
            values[name] = None if draw(st.integers(0, 11)) == 0 else x
        log.append(((sensor, at * US, values),))
        count = draw(waited)
        log += [Tick(tick + second) for second in range(1, count + 1)]
        tick += count
        at += max(1, draw(st.sampled_from([cadence, count, count, 3 * cadence, -cadence])))
    return log
