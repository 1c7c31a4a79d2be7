"""``platform.stalled``: broker or worker stand still, and the engine says so without them."""

from datetime import timedelta

import pytest

from alerts.delivery.outbox import lock_writers
from alerts.sources.stalled import GAP_S, LOOK_S, Judging
from catalog.platform import JUDGING, JUDGING_ID
from catalog.topics import readings_topic
from tests.support.alerting import Desk

PLACES = [(readings_topic("city", name), n) for name in ("noise", "feeder") for n in range(2)]


class Watched:
    """The worker's checkpoints, and one or more engines that look at them, at a time of the test's
    own: ``step`` lets it pass while the given partitions move on."""

    def __init__(self, desk: Desk, engines: int = 1) -> None:
        self.desk, self.offset, self.at = desk, 0, 0.0
        self.engines = [self.engine() for _ in range(engines)]

    def engine(self) -> Judging:
        return Judging(monotonic=lambda: self.at)

    def step(self, seconds: float, moving: list[tuple[str, int]] = PLACES) -> None:
        until = self.at + seconds
        while self.at < until:
            self.at += LOOK_S
            self.offset += 1
            self.move(moving)
            for engine in self.engines:
                self.look(engine)

    def move(self, places: list[tuple[str, int]]) -> None:
        for topic, partition in places:
            self.desk.conn.execute(
                "INSERT INTO checkpoints (app, topic, partition, next_offset)"
                " VALUES ('worker', %s, %s, %s) ON CONFLICT (app, topic, partition)"
                " DO UPDATE SET next_offset = excluded.next_offset",
                [topic, partition, self.offset],
            )

    def look(self, engine: Judging) -> None:
        desk = self.desk
        with desk.conn.transaction():
            lock_writers(desk.conn)
            engine.watch(
                desk.conn, desk.notifier, desk.settings, desk.now + timedelta(seconds=self.at)
            )


def test_a_standstill_is_told_once_by_any_number_of_engines_and_ended_by_movement(
    desk: Desk,
) -> None:
    watched = Watched(desk, engines=2)
    watched.step(60)
    watched.step(JUDGING.after_s - LOOK_S, moving=[])
    assert desk.said() == []
    watched.step(600, moving=[])
    assert desk.said() == ["raised"]
    row = desk.conn.execute("SELECT rule, stream, sensor, severity, id FROM episodes").fetchone()
    assert row is not None
    assert row[:4] == (JUDGING_ID, "platform", "*", 1)
    assert "/" not in row[4], "its page has an address"
    watched.engines = [watched.engine()]
    watched.step(60, moving=[])
    assert desk.said() == ["raised"], "an engine that has just started has seen nothing move"
    watched.step(60, moving=PLACES[:3])
    assert desk.said() == ["raised"], "one partition still stands"
    watched.step(10)
    assert desk.said() == ["raised", "cleared"]
    watched.step(JUDGING.after_s + LOOK_S, moving=PLACES[1:])
    assert desk.said() == ["raised", "cleared", "raised"], "a part of the sensors is a standstill"


def test_time_in_which_the_engine_did_not_look_is_no_standstill(desk: Desk) -> None:
    """A database that is away stops the worker's checkpoints as well; a frozen engine saw none."""
    watched = Watched(desk)
    watched.step(60)
    watched.at += GAP_S + JUDGING.after_s
    watched.step(JUDGING.after_s - LOOK_S, moving=[])
    assert desk.said() == []


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(days=3)])
def test_a_wall_clock_that_jumps_neither_raises_nor_ends_it(desk: Desk, jump: timedelta) -> None:
    watched = Watched(desk)
    watched.step(60)
    desk.now += jump
    watched.step(60, moving=[])
    assert desk.said() == []
    watched.step(60, moving=[])
    assert desk.said() == ["raised"]
    desk.now -= 2 * jump
    watched.step(30, moving=[])
    assert desk.said() == ["raised"]
    watched.step(5)
    assert desk.said() == ["raised", "cleared"]


def test_nothing_is_said_where_no_worker_has_ever_judged_or_a_stream_is_gone(desk: Desk) -> None:
    watched = Watched(desk)
    watched.step(600, moving=[])
    watched.move([(readings_topic("city", "abolished"), 0)])
    watched.step(600)
    assert desk.said() == []
