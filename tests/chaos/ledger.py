"""The ledger: issues readings, is never killed, and remembers what was accepted and refused."""

import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from kafka import KafkaProducer
from kafka.errors import KafkaError

from catalog.frames import frame_headers
from catalog.registry import stream
from catalog.topics import PARTITIONS, readings_topic, shard_key
from service.kafka import producer

STREAMS = ("waterlogging", "noise")
STEP_S = 30
"""Event time between two readings of a sensor: minutes go by faster than on the wall."""

Reading = dict[str, Any]


@dataclass
class Shares:
    """How much of the traffic is ill-behaved."""

    duplicate: float = 0.30
    held_back: float = 0.10
    too_late: float = 0.02
    conflict: float = 0.02
    refused: float = 0.02
    poison: float = 0.02


@dataclass
class Sensor:
    """One source: a clock of its own, and a level that rises and falls over the alarm limits."""

    stream: str
    name: str
    at: datetime
    step: int = 0
    sent: list[Reading] = field(default_factory=list)
    held: list[Reading] = field(default_factory=list)

    def next(self) -> Reading:
        """Return the next reading in order of event time."""
        self.at += timedelta(seconds=STEP_S)
        self.step += 1
        up = self.step % 34
        height = min(up, 20 - up) if up < 20 else 0
        reading: Reading = {"sensor": self.name, "observed_at": self.at.isoformat()}
        if self.stream == "waterlogging":
            return reading | {"depth_m": round(0.04 * height + 0.001 * (self.step % 7), 3)}
        return reading | {"leq_db": 50.0 + 3 * height, "lmax_db": 60.0 + 3 * height}


@dataclass
class Ledger:
    """Posts frames of readings one after another, each until it has an answer."""

    gateway: str
    key: str
    kafka: str
    prefix: str
    seed: int
    sensors_per_stream: int = 20
    shares: Shares = field(default_factory=Shares)
    accepted: list[tuple[str, Reading]] = field(default_factory=list)
    refused: list[tuple[str, Reading]] = field(default_factory=list)
    posts: int = 0
    without_answer: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
        self._sensors = [
            Sensor(name, f"chaos-{name}-{n}", start, step=self._random.randrange(34))
            for name in STREAMS
            for n in range(self.sensors_per_stream)
        ]
        self._running, self._stop = threading.Event(), threading.Event()
        self._idle = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        """Begin, or go on after ``pause``."""
        self._idle.clear()
        self._running.set()
        if not self._thread.is_alive():
            self._thread.start()

    def pause(self) -> None:
        """Return when the frame on its way has its answer."""
        self._running.clear()
        assert self._idle.wait(120.0), "no answer to a frame within two minutes"

    def stop(self) -> None:
        """End for good; a frame still without an answer stays unknown."""
        self._stop.set()
        self._running.set()
        self._thread.join(30.0)

    def newest(self) -> tuple[str, Reading] | None:
        """Return the reading that was accepted last."""
        return self.accepted[-1] if self.accepted else None

    def _run(self) -> None:
        with httpx.Client(timeout=5.0) as client:
            while not self._stop.is_set():
                if not self._running.is_set():
                    self._idle.set()
                    self._running.wait()
                    continue
                self._poison()
                for name in STREAMS:
                    self._send(client, name, list(self._frame(name)))
                self._stop.wait(0.15)

    def _frame(self, name: str) -> Iterator[Reading]:
        for sensor in (s for s in self._sensors if s.stream == name):
            yield from self._readings(sensor)

    def _readings(self, sensor: Sensor) -> Iterator[Reading]:
        rnd, shares = self._random, self.shares
        reading, before = sensor.next(), list(sensor.sent)
        if rnd.random() < shares.held_back:
            sensor.held.append(reading)
        else:
            yield self._sent(sensor, reading)
        if sensor.held and rnd.random() < 0.5:
            yield self._sent(sensor, sensor.held.pop(0))
        # one frame must not contradict itself: that is refused
        if before and rnd.random() < shares.conflict:
            known = rnd.choice(before)
            yield known | {k: v + 1.0 for k, v in known.items() if isinstance(v, float)}
        elif before and rnd.random() < shares.duplicate:
            yield rnd.choice(before)
        if rnd.random() < shares.too_late:
            lateness = timedelta(seconds=stream(sensor.stream).lateness_s + 61)
            late = sensor.at - lateness - timedelta(seconds=rnd.randrange(900))
            yield reading | {"observed_at": (late + timedelta(milliseconds=7)).isoformat()}

    def _sent(self, sensor: Sensor, reading: Reading) -> Reading:
        sensor.sent = [*sensor.sent[-5:], reading]
        return reading

    def _send(self, client: httpx.Client, name: str, readings: list[Reading]) -> None:
        wrong = self._random.random() < self.shares.refused
        if wrong:
            readings = [r | {"sensor": f"{r['sensor']} refused"} for r in readings]
        while not self._stop.is_set():
            status = self._post(client, name, readings)
            if status == 202:
                self.accepted += [(name, r) for r in readings]
            elif status in (400, 422):
                assert wrong, f"{name}: a sound frame was refused: {self._said}"
                self.refused += [(name, r) for r in readings]
            else:
                self._stop.wait(0.2)
                continue
            return

    def _post(self, client: httpx.Client, name: str, readings: list[Reading]) -> int:
        self.posts += 1
        url = f"{self.gateway}/v1/streams/{name}/readings"
        headers = {"Authorization": f"Bearer {self.key}"}
        with suppress(httpx.TransportError):
            answer = client.post(url, json={"readings": readings}, headers=headers)
            self._said = answer.text[:500]
            return answer.status_code
        self.without_answer += 1
        return 0

    def _poison(self) -> None:
        """Now and then put bytes that are no frame straight on a topic."""
        if self._random.random() >= self.shares.poison:
            return
        name = self._random.choice(STREAMS)
        shard = self._random.randrange(PARTITIONS)
        headers = frame_headers(stream(name), "chaos", datetime.now(UTC))
        with suppress(KafkaError, ValueError):
            sender: KafkaProducer = producer(self.kafka, "chaos")
            try:
                topic, key = readings_topic(self.prefix, name), shard_key(shard)
                value = self._random.choice([b"", b"no frame", b"\xff" * 400])
                sender.send(topic, value, key=key, partition=shard, headers=headers).get(10)
            finally:
                sender.close(timeout=5)
