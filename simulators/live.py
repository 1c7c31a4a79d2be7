"""The live city: every stream at its own cadence, observed now, straight to Kafka as frames."""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from catalog.model import Stream
from catalog.registry import stream, streams
from ingest.producer import FrameProducer
from service.clock import Clock
from service.errors import TransientError
from service.log import logger
from service.settings import Settings
from service.vitals import Vitals
from simulators.default import StreamSimulator

STEP_S = 1.0
ACK_DEADLINE_S = 20.0
KEEP_BATCHES = 20_000


@dataclass(slots=True)
class Waiting:
    """A batch that Kafka has not acknowledged yet."""

    stream: Stream
    batch: pa.RecordBatch
    made_at: datetime


class LiveCity:
    """Steps all simulators; what the broker does not take is kept, oldest first, up to a bound."""

    def __init__(self, names: list[str], seed: int, clock: Clock) -> None:
        self._clock = clock
        self._simulators = [
            StreamSimulator(stream(name), seed) for name in names or list(streams())
        ]
        self._last = clock.now()
        self.waiting: deque[Waiting] = deque()
        self.lost = 0

    def step(self) -> None:
        """Make the readings due since the last step."""
        now = self._clock.now()
        for simulator in self._simulators:
            batch = simulator.readings(self._last, now)
            if batch.num_rows:
                self.waiting.append(Waiting(simulator.stream, batch, now))
        self._last = now
        while len(self.waiting) > KEEP_BATCHES:
            self.lost += self.waiting.popleft().batch.num_rows

    def publish(self, producer: FrameProducer) -> int:
        """Send what waits; return the readings acknowledged. What fails stays to be sent again."""
        batches = list(self.waiting)
        sent = [producer.send(w.stream, w.batch, w.made_at) for w in batches]
        for pending in sent:
            pending.wait(ACK_DEADLINE_S)
        for _ in batches:
            self.waiting.popleft()
        return sum(w.batch.num_rows for w in batches)


def run_live(
    settings: Settings,
    names: list[str],
    seed: int,
    vitals: Vitals,
    stop: threading.Event,
    clock: Clock,
) -> None:
    """Run the live city until ``stop``."""
    city = LiveCity(names, seed, clock)
    producer = FrameProducer(settings, "simulator")
    vitals.ready()
    while not stop.wait(STEP_S):
        city.step()
        try:
            vitals.progress(city.publish(producer), newest=clock.now())
            vitals.trouble("")
        except TransientError as error:
            logger().warning("readings wait for Kafka", batches=len(city.waiting), lost=city.lost)
            vitals.trouble(str(error)[:200])
        vitals.detail(lost_at_source=city.lost)
    producer.close()
