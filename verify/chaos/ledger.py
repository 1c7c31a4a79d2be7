"""The ledger: issues readings, is never killed, and remembers what was accepted and refused."""

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from catalog.registry import stream
from verify.chaos import poison

STREAMS = ("waterlogging", "noise")
STEP_S = 30
"""Event time between two readings of a sensor: minutes go by faster than on the wall."""
ANSWER_S = 12.0
"""A little longer than the gateway waits for Kafka, so that its own 503 arrives."""
PAUSE_S = 0.15

Reading = dict[str, Any]


@dataclass
class Shares:
    """How much of the traffic is ill-behaved."""

    duplicate: float = 0.30
    held_back: float = 0.10
    too_late: float = 0.02
    conflict: float = 0.02
    refused: float = 0.02
    poison: float = 0.08
    """One frame in a hundred: a round is about eight frames."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it was asked and answered (monotonic), and the status.

    0 is no answer to what was sent, -1 nobody to send it to.
    """

    asked: float
    at: float
    status: int


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
    beside: list[tuple[str, Reading]] = field(default_factory=list)
    """Readings that were put on a topic without the gateway, or may have been."""
    answers: list[Answer] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """How often each kind of ill-behaved traffic was sent."""
    wrong: list[str] = field(default_factory=list)

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
        self._asking = threading.Event()
        self._others: queue.Queue[tuple[str, list[Reading], threading.Event]] = queue.Queue()
        self._poisoner = poison.Poisoner(self.kafka, self.prefix)
        self._mate_at = start
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
        self._poisoner.close()

    def await_request(self, deadline_s: float) -> None:
        """Return when a request has just been sent and has no answer yet."""
        self._asking.clear()
        assert self._asking.wait(deadline_s), f"no request within {deadline_s:.0f} s"

    def also(self, name: str, readings: list[Reading]) -> None:
        """Send these readings too, in a frame of their own; returns when they are accepted."""
        done = threading.Event()
        self._others.put((name, readings, done))
        assert done.wait(60.0), "readings of a fault were not accepted within a minute"

    def count(self, status: int, since: float, until: float = float("inf")) -> int:
        """Return how many answers of a status came between two moments (monotonic)."""
        return sum(a.status == status and since <= a.at <= until for a in list(self.answers))

    def errors(self, since: float, until: float = float("inf")) -> int:
        """Return how many answers of 500 and above came between two moments (monotonic)."""
        return sum(a.status >= 500 and since <= a.at <= until for a in list(self.answers))

    def others(self, since: float) -> int:
        """Return how many answers since then were neither an acceptance nor a refusal of poison."""
        known = (202, 400, 413, 422)
        return sum(a.status not in known and a.at >= since for a in list(self.answers))

    def waits(self, since: float) -> list[float]:
        """Return how long each request since then waited for its 202, in seconds."""
        return [a.at - a.asked for a in list(self.answers) if a.status == 202 and a.at >= since]

    def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(timeout=ANSWER_S, headers=headers) as client:
            while not self._stop.is_set():
                if not self._running.is_set():
                    self._idle.set()
                    self._running.wait()
                    continue
                while not self._others.empty():
                    self._send_other(client, *self._others.get())
                self._poison(client)
                for name in STREAMS:
                    self._send(client, name, list(self._frame(name)))
                self._stop.wait(PAUSE_S)

    def _frame(self, name: str) -> Iterator[Reading]:
        for sensor in (s for s in self._sensors if s.stream == name):
            yield from self._readings(sensor)

    def _readings(self, sensor: Sensor) -> Iterator[Reading]:
        rnd, shares = self._random, self.shares
        reading, before = sensor.next(), list(sensor.sent)
        if rnd.random() < shares.held_back:
            self.sent["held back"] += 1
            sensor.held.append(reading)
        else:
            yield self._sent(sensor, reading)
        if sensor.held and rnd.random() < 0.5:
            yield self._sent(sensor, sensor.held.pop(0))
        # one frame must not contradict itself: that is refused
        if before and rnd.random() < shares.conflict:
            known = rnd.choice(before)
            self.sent["other bodies"] += 1
            yield known | {k: v + 1.0 for k, v in known.items() if isinstance(v, float)}
        elif before and rnd.random() < shares.duplicate:
            self.sent["duplicates"] += 1
            yield rnd.choice(before)
        if rnd.random() < shares.too_late:
            self.sent["beyond lateness"] += 1
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
                if not wrong:
                    self.wrong.append(f"{name}: a sound frame was refused: {self._said}")
                self.refused += [(name, r) for r in readings]
            else:
                self._stop.wait(0.2)
                continue
            return

    def _send_other(
        self, client: httpx.Client, name: str, readings: list[Reading], done: threading.Event
    ) -> None:
        while self._post(client, name, readings) != 202 and not self._stop.wait(0.2):
            pass
        self.accepted += [(name, reading) for reading in readings]
        done.set()

    def _post(self, client: httpx.Client, name: str, readings: list[Reading]) -> int:
        return self._ask(lambda: client.post(self._url(name), json={"readings": readings}))

    def _ask(self, post: Callable[[], httpx.Response]) -> int:
        asked = time.monotonic()
        self._asking.set()
        try:
            answer = post()
            self._said, status = answer.text[:500], answer.status_code
        except (httpx.ConnectError, httpx.ConnectTimeout):
            status = -1
        except httpx.TransportError:
            status = 0
        self.answers.append(Answer(asked, time.monotonic(), status))
        return status

    def _url(self, name: str) -> str:
        return f"{self.gateway}/v1/streams/{name}/readings"

    def _poison(self, client: httpx.Client) -> None:
        """Now and then send what is no reading, to the gateway and straight onto a topic."""
        well = bool(self.answers) and self.answers[-1].status == 202
        if self._random.random() >= self.shares.poison or not well:
            return
        declared = stream(self._random.choice(STREAMS))
        self._mate_at += timedelta(seconds=STEP_S)
        self.sent["poison on the topic"] += 1
        if mate := self._poisoner.put(declared, self._random, self._mate_at):
            self.beside.append((declared.name, mate))
        self.sent["poison over HTTP"] += 1
        body = poison.body(declared, self._random, self._mate_at)
        status = self._ask(lambda: client.post(self._url(declared.name), content=body))
        if status not in (-1, 0, 400, 413, 422, 429, 503):
            self.wrong.append(f"{declared.name}: {body[:80]!r} was answered by {status}")
