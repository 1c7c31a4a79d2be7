"""The worker's consumer: a broker that has nothing for it must not make it wait."""

from aiokafka import AIOKafkaConsumer

from service.vitals import Vitals
from streams.transport import FETCH_WAIT_MS
from streams.worker import WorkerSettings, build_app
from tests.support.loops import run_async


def test_the_broker_does_not_sit_on_a_request_of_the_worker() -> None:
    async def waits_ms() -> tuple[int, int]:
        app = build_app(WorkerSettings(), Vitals("worker"))
        thread = app.consumer._thread
        plain = AIOKafkaConsumer(fetch_max_wait_ms=777)
        ours = thread._create_worker_consumer(app.transport)
        for consumer in (ours, plain):
            await consumer.stop()
        thread.thread_loop.close()  # made for a thread that never ran
        return ours._fetch_max_wait_ms, plain._fetch_max_wait_ms

    # the second says that the client still reads this name
    assert run_async(waits_ms) == (FETCH_WAIT_MS, 777)
