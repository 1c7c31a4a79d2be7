"""The live city: every stream at its own cadence, through faulty lines, to Kafka as frames."""

import os
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from catalog.errors import TransientError
from catalog.frames import frame_headers
from catalog.model import Stream
from catalog.registry import facts, made_of_facts, stream, streams
from catalog.topics import PARTITIONS, all_topics, readings_topic
from ingest.producer import FrameProducer
from service.clock import Clock
from service.kafka import ensure_topics
from service.log import logger
from service.settings import Settings
from service.vitals import Vitals
from service.waiting import wait_for
from simulators.control import FORGET_S, Control, LiveState
from simulators.core.city import City
from simulators.core.events import Event, Events
from simulators.core.fleet import US
from simulators.default import StreamSimulator
from simulators.facts import LiveFacts
from simulators.faults import NO_FAULTS, Delivery, FaultRates, FaultyLine
from simulators.physics.power import feeders_out
from simulators.signs import Signs
from simulators.truth import Label, TruthFile

STEP_S = 1.0
ACK_DEADLINE_S = 20.0
KEEP_BATCHES = 20_000
HOUR_S = 3600.0
PIECE_S = 600.0
"""So much of the time before its start the city makes at once."""
POISON = b"\xff\xfe\xfd no arrow frame \x00\x01"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the live city shall be; ``start`` is its first moment (epoch s), None = now.

    So much as ``history_s`` before it is made up at once, but nothing that was sent before: sliding
    means (an hour of the air index) would be missing as long as the city is young.
    """

    names: tuple[str, ...] = ()
    seed: int = 1
    speed: float = 1.0
    start: float | None = None
    history_s: float = 0.0
    faults: FaultRates = NO_FAULTS
    signs_port: int = 0
    """Where the simulated signs answer; 0 = nowhere."""


class CityTime:
    """The city's time: ``speed`` times as fast as the clock until it has caught up with it."""

    def __init__(self, clock: Clock, plan: Plan) -> None:
        self._clock = clock
        self._speed = plan.speed
        self._begun = clock.monotonic()
        self._start = clock.now().timestamp() if plan.start is None else plan.start
        self.now = self._start

    def advance(self) -> float:
        """Return city time (epoch s); never ahead of the clock, never back."""
        fast = self._start + (self._clock.monotonic() - self._begun) * self._speed
        self.now = max(self.now, min(fast, self._clock.now().timestamp()))
        return self.now


@dataclass(slots=True)
class Waiting:
    """A batch that Kafka has not acknowledged yet."""

    stream: Stream
    batch: pa.RecordBatch
    made_at: datetime


class LiveCity:
    """Steps all streams; what the broker does not take is kept, oldest first, up to a bound."""

    def __init__(self, plan: Plan, start: float, events: list[Event] | None = None) -> None:
        self._plan = plan
        self.city = City(plan.seed, events or [])
        names = [name for name in plan.names or streams() if name not in made_of_facts()]
        simulators = [StreamSimulator(stream(name), plan.seed) for name in names]
        self.facts = None if plan.names else LiveFacts()
        chance = self.city.chance
        self._lines = {s.stream.name: FaultyLine(s, plan.faults, chance) for s in simulators}
        self._simulators = simulators
        self._last = start
        self._held: dict[str, Delivery] = {}
        self.waiting: deque[Waiting] = deque()
        self.poison: list[tuple[str, int, datetime]] = []
        self.lost = 0

    def take_up(self, events: list[Event]) -> None:
        """Go on under other events."""
        kept = [e for e in events if e.end > self._last - FORGET_S]
        if Events(kept).all != self.city.events.all:
            self.city = self.city.with_events(kept)

    def step(self, until: float, made_at: datetime) -> list[Label]:
        """Make the readings due since the last step, up to city time ``until`` (epoch s)."""
        labels: list[Label] = []
        for simulator in self._simulators:
            rows = simulator.fleet.due(int(self._last * US), int(until * US))
            out = self._lines[simulator.stream.name].deliver(self.city, rows)
            self._put(simulator.stream, self._arrived(simulator.stream, out, until), made_at)
            labels += out.labels
        if self.facts is not None:
            labels += self.facts.step(self.city, self._last, until, made_at)
        labels += self._poison(until, made_at)
        self._last = until
        return labels

    def catch_up(self, until: float) -> list[Label]:
        """Make everything due up to ``until`` (epoch s), as if it had been received when due."""
        labels: list[Label] = []
        while self._last < until:
            piece = min(self._last + PIECE_S, until)
            labels += self.step(piece, datetime.fromtimestamp(piece, UTC))
        return labels

    def publish(self, producer: FrameProducer, prefix: str) -> int:
        """Send what waits; return the readings acknowledged. What fails stays to be sent again."""
        batches = list(self.waiting)
        sent = [producer.send(w.stream, w.batch, w.made_at) for w in batches]
        happened = self.facts.send(producer) if self.facts is not None else []
        sent += happened
        for name, shard, at in self.poison:
            headers = frame_headers(stream(name), "simulator", at)
            sent.append(producer.send_raw(readings_topic(prefix, name), shard, POISON, headers))
        for pending in sent:
            pending.wait(ACK_DEADLINE_S)
        for _ in batches:
            self.waiting.popleft()
        self.poison.clear()
        uploads = self.facts.sent(len(happened)) if self.facts is not None else 0
        return sum(w.batch.num_rows for w in batches) + uploads

    def _put(self, declared: Stream, batch: pa.RecordBatch, made_at: datetime) -> None:
        if batch.num_rows:
            self.waiting.append(Waiting(declared, batch, made_at))
        while len(self.waiting) > KEEP_BATCHES:
            self.lost += self.waiting.popleft().batch.num_rows

    def _arrived(self, declared: Stream, out: Delivery, until: float) -> pa.RecordBatch:
        """Return what arrives by ``until``, in the order of arrival; hold the rest back."""
        batch, arrives = out.batch, out.arrives
        if held := self._held.get(declared.name):
            batch = pa.concat_batches([held.batch, batch])
            arrives = np.concatenate([held.arrives, arrives])
        order = np.argsort(arrives, kind="stable")
        due = order[: int((arrives <= until).sum())]
        later = order[len(due) :]
        self._held[declared.name] = Delivery(batch.take(pa.array(later)), arrives[later])
        return batch.take(pa.array(due))

    def _poison(self, until: float, made_at: datetime) -> list[Label]:
        """Drop bad bytes on a topic now and then, as a broken gateway would."""
        first, last = int(self._last), int(until)
        seconds = np.arange(first, last)
        draw = self.city.chance.uniform("fault/poison", seconds)
        labels = []
        for second in seconds[draw < self._plan.faults.poison / HOUR_S]:
            pick = float(self.city.chance.uniform("fault/poison-where", int(second)))
            name = self._simulators[int(pick * len(self._simulators))].stream.name
            self.poison.append((name, int(second) % PARTITIONS, made_at))
            labels.append(Label(kind="poison", stream=name, at=float(second)))
        return labels


def run_live(
    settings: Settings,
    plan: Plan,
    truth: TruthFile,
    vitals: Vitals,
    stop: threading.Event,
    clock: Clock,
) -> None:
    """Run the live city until ``stop``."""
    control, time = Control(settings.state_dir), CityTime(clock, plan)
    live = LiveCity(plan, begins(plan, control.live(), time.now))
    _take_up(live, control)
    truth.write(live.catch_up(time.now))
    begin = lambda: _producer(settings)  # noqa: E731
    producer = wait_for(f"Kafka at {settings.kafka}", begin, vitals, stop)
    if producer is None:
        return
    signs = Signs(clock.monotonic)
    end_signs = signs.serve(plan.signs_port)[1] if plan.signs_port else lambda: None
    vitals.ready()
    while not stop.wait(STEP_S):
        _take_up(live, control)
        signs.without_power(feeders_out(live.city, time.now))
        truth.write(live.step(time.advance(), clock.now()))
        try:
            newest = datetime.fromtimestamp(time.now, UTC)
            vitals.progress(live.publish(producer, settings.topic_prefix), newest=newest)
            vitals.trouble("")
        except TransientError as error:
            logger().warning("readings wait for Kafka", batches=len(live.waiting), lost=live.lost)
            vitals.trouble(str(error)[:200])
        known = [e.id for e in live.city.events.all]
        vitals.detail(lost_at_source=live.lost, scenarios=len(known))
        told = (os.getpid(), plan.seed, plan.speed, time.now, clock.now(), known)
        control.say_live(LiveState(*told))
    end_signs()
    producer.close()
    truth.close()


def begins(plan: Plan, said: LiveState | None, now: float) -> float:
    """Return where the city begins: where it left off, but no longer ago than its history."""
    earliest = now - plan.history_s
    left_off = said.city_s if said is not None and said.seed == plan.seed else earliest
    return min(now, max(left_off, earliest))


def _producer(settings: Settings) -> FrameProducer:
    ensure_topics(
        settings.kafka, all_topics(settings.topic_prefix, tuple(streams()), tuple(facts()))
    )
    return FrameProducer(settings, "simulator")


def _take_up(live: LiveCity, control: Control) -> None:
    try:
        live.take_up(control.events())
    except ValueError as error:
        logger().warning("scenarios not read", reason=str(error)[:300])
