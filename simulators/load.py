"""Load: an exact number of readings at a rate, from columns made beforehand.

A frame costs one time column and one serialisation, so the generator is much faster than what it
loads. Sensors are named ``load-<stream>-000001``; one sensor's readings lie sensors/rate apart.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from kafka.errors import KafkaError

from catalog.frames import encode, frame_headers, readings_schema
from catalog.model import Stream
from catalog.registry import stream, streams
from catalog.topics import readings_topic, shard_key, shard_of
from service.kafka import producer
from service.settings import Settings
from simulators.core.chance import Chance, Floats

AHEAD = timedelta(days=365)
"""Later than any reading of a load: frames count as received then."""
FRAME_READINGS = 500
VARIANTS = 8
FLUSH_DEADLINE_S = 30.0
IN_FLIGHT_FRAMES = 400
HELD_SHARE = 0.98
CENTRE_SHARE, SPREAD_SHARE = 0.5, 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: ``rate`` readings a second of ``sensors`` for ``seconds``, over streams."""

    rate: int
    sensors: int
    seconds: float
    names: tuple[str, ...] = ()
    seed: int = 1

    @property
    def total(self) -> int:
        """Return the exact number of readings."""
        return round(self.rate * self.seconds)


@dataclass(slots=True)
class Report:
    """What came of it; acks in milliseconds."""

    wanted: int
    sent: int = 0
    acked: int = 0
    errors: int = 0
    seconds: float = 0.0
    acks_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return readings acknowledged a second."""
        return self.acked / self.seconds if self.seconds else 0.0

    def ack_ms(self, share: float) -> float:
        """Return a percentile of the acknowledgement times, NaN without any."""
        return float(np.percentile(self.acks_ms, share)) if self.acks_ms else float("nan")

    def held(self, plan: Plan) -> bool:
        """Tell whether everything was acknowledged at the wanted rate."""
        return (
            not self.errors and self.acked == plan.total and (self.rate >= HELD_SHARE * plan.rate)
        )


class Group:
    """Sensors of one stream and shard, with value columns in several variants."""

    def __init__(self, declared: Stream, shard: int, ids: list[str], chance: Chance) -> None:
        self.stream, self.shard = declared, shard
        self._rounds = max(1, FRAME_READINGS // len(ids))
        self.size = len(ids) * self._rounds
        self._schema = readings_schema(declared)
        self._sensors = pa.array(ids * self._rounds)
        self._round = np.repeat(np.arange(self._rounds), len(ids))
        self._values = [
            [
                _column(declared, m, self.size, chance, v, shard)
                for m in range(len(declared.metrics))
            ]
            for v in range(VARIANTS)
        ]
        self._sent = 0

    def frame(self, first_us: int, interval_us: int, most: int) -> tuple[bytes, int]:
        """Return the next frame of up to ``most`` readings, and how many it holds."""
        number = self._sent * self._rounds + self._round
        times = pa.array(first_us + number * interval_us).cast(self._schema.field(1).type)
        columns = [self._sensors, times, *self._values[self._sent % VARIANTS]]
        self._sent += 1
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema).slice(0, most)
        return encode(batch), batch.num_rows


def groups_of(plan: Plan) -> list[Group]:
    """Return all sensors, shared out evenly over the streams, grouped by stream and shard."""
    names = plan.names or tuple(streams())
    chance, made = Chance(plan.seed), []
    for place, name in enumerate(names):
        count = plan.sensors // len(names) + (place < plan.sensors % len(names))
        by_shard: dict[int, list[str]] = {}
        for n in range(count):
            sensor = f"load-{name.replace('_', '-')}-{n + 1:06d}"
            by_shard.setdefault(shard_of(sensor), []).append(sensor)
        for shard, ids in sorted(by_shard.items()):
            parts = range(0, len(ids), FRAME_READINGS)
            made += [Group(stream(name), shard, ids[i : i + FRAME_READINGS], chance) for i in parts]
    return made


class Loader:
    """Sends a plan through one producer."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._plan, self._prefix = plan, settings.topic_prefix
        self._groups = groups_of(plan)
        self._producer = producer(settings.kafka, "load", linger_ms=2)
        self._lock, self._room = threading.Lock(), threading.Semaphore(IN_FLIGHT_FRAMES)
        self.report = Report(plan.total)

    def run(self, now: datetime, show: Callable[[Report], None], stop: threading.Event) -> Report:
        """Send everything and wait for the acknowledgements; ``show`` hears of the progress."""
        report, begun = self.report, time.monotonic()
        for group, most in self._turns():
            ahead = report.sent / self._plan.rate - (time.monotonic() - begun)
            if ahead > 0:
                show(report)
                stop.wait(ahead)
            if stop.is_set():
                break
            self._send(group, most, now)
        self._settle(begun, show)
        return report

    def _turns(self) -> Iterator[tuple[Group, int]]:
        """Yield each group in turn and how many readings may still be sent."""
        for group in itertools.cycle(self._groups):
            left = self._plan.total - self.report.sent
            if left <= 0:
                return
            yield group, left

    def _send(self, group: Group, most: int, now: datetime) -> None:
        interval_us = max(1, round(1e6 * self._plan.sensors / self._plan.rate))
        value, count = group.frame(int(now.timestamp() * 1e6), interval_us, most)
        # what is sent faster than planned does not come from the future
        headers = frame_headers(group.stream, "load", now + AHEAD)
        topic = readings_topic(self._prefix, group.stream.name)
        self.report.sent += count
        if not self._room.acquire(timeout=FLUSH_DEADLINE_S):
            self.report.errors += count
            return
        sent_at = time.monotonic()
        try:
            place = {"key": shard_key(group.shard), "partition": group.shard}
            future: Any = self._producer.send(topic, value=value, headers=headers, **place)
        except KafkaError:
            self._done(sent_at, count, False)
            return
        future.add_callback(lambda _: self._done(sent_at, count, True))
        future.add_errback(lambda _: self._done(sent_at, count, False))

    def _done(self, sent_at: float, count: int, good: bool) -> None:
        with self._lock:
            if good:
                self.report.acked += count
                self.report.acks_ms.append((time.monotonic() - sent_at) * 1000)
            else:
                self.report.errors += count
        self._room.release()

    def _settle(self, begun: float, show: Callable[[Report], None]) -> None:
        """Wait until all that was sent is acknowledged or failed, for a bounded time."""
        report, end = self.report, time.monotonic() + FLUSH_DEADLINE_S
        while report.acked + report.errors < report.sent and time.monotonic() < end:
            time.sleep(0.005)
        report.seconds = time.monotonic() - begun
        report.errors += report.sent - report.acked - report.errors
        show(report)
        self._producer.close(timeout=2)


def _column(
    declared: Stream, number: int, size: int, chance: Chance, variant: int, shard: int
) -> pa.Array:
    """Return plausible values of one metric around the middle of its typical range."""
    metric = declared.metrics[number]
    low, high = metric.typical
    draw: Floats = chance.normal(f"load/{declared.name}", number, variant, shard, np.arange(size))
    share = np.clip(CENTRE_SHARE + SPREAD_SHARE / 3 * draw, 0.0, 1.0)
    return pa.array(np.round(low + (high - low) * share, metric.decimals))
