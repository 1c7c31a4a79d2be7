"""A worker that works off nothing is seen to stall, also when its consumer tells of nothing new."""

import asyncio
from types import SimpleNamespace
from typing import Any

from catalog.ticks import encode_tick, tick_headers
from catalog.topics import readings_topic
from service.vitals import Vitals
from streams.worker import Shell, WorkerSettings
from tests.support.loops import run_async
from tests.unit.service.test_vitals import FakeClock

PLACE = (readings_topic("city", "noise"), 0)


def record(offset: int) -> Any:
    message = SimpleNamespace(
        topic=PLACE[0], partition=PLACE[1], offset=offset, headers=tick_headers(), timestamp=0
    )
    return SimpleNamespace(message=message, value=encode_tick(1_800_000_000 + offset))


def test_a_consumer_that_stopped_fetching_has_lag_and_only_records_are_progress() -> None:
    async def run() -> tuple[int, float, int, float]:
        clock = FakeClock()
        vitals = Vitals("worker", clock=clock)
        shell = Shell(WorkerSettings(), vitals)
        shell.app = SimpleNamespace(consumer=SimpleNamespace(highwater=lambda _: None))
        shell.desk.lay_out({PLACE: 5}, {})
        sent: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        sent.set_result(SimpleNamespace(topic=PLACE[0], partition=PLACE[1], offset=7))
        shell._answered(sent)
        vitals.lag(lag := shell._lag())
        clock.seconds += 40
        stalled = vitals.stalled_for()

        async def events() -> Any:
            for offset in (5, 6):
                yield record(offset)

        await shell.work(SimpleNamespace(events=events))
        return lag, stalled, shell._lag(), vitals.stalled_for()

    assert run_async(run) == (3, 40.0, 1, 0.0)
