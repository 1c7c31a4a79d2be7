"""Faust's transport with our consumer, whose place in the log is what the database says."""

import os
from typing import Any

import faust
import psycopg
from aiokafka import AIOKafkaProducer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from kafka.errors import KafkaError

from catalog.errors import CityOpsError, FatalError
from service.kafka_login import login
from service.log import logger
from service.process import EXIT_FATAL, EXIT_STALLED

FETCH_WAIT_MS = 50


def credentials() -> Any:
    """Return this process's login to Kafka as Faust wants it; None where nobody asks for one."""
    who = login()
    if not who.user:
        return who.tls()
    return faust.SASLCredentials(
        username=who.user,
        password=who.password,
        mechanism=who.mechanism,
        ssl_context=who.tls(),
    )


def outputs(bootstrap: str, name: str) -> AIOKafkaProducer:
    """Return a producer with acks from all, which sends one batch of a partition at a time.

    Not idempotent, as in ``service.kafka.producer``: an output sent twice changes nothing.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=name,
        enable_idempotence=False,
        acks="all",
        linger_ms=5,
        max_request_size=4 * 2**20,
        **login().options(),
    )


class PromptThread(driver.AIOKafkaConsumerThread):
    """Fetches without long waits at the broker.

    While frames of some partitions wait to be worked off, aiokafka asks for the others only, and
    asks for nothing else until that is answered. Faust lets the broker sit on such a request for
    1.5 s: a worker with a backlog in one stream would idle in that time.
    """

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class DatabaseConsumer(driver.Consumer):
    """A consumer whose place in the log is what the checkpoints say."""

    def _new_consumer_thread(self) -> PromptThread:
        return PromptThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Load the checkpoints of everything assigned and seek there; runs on each assignment."""
        shell: Any = getattr(self.app, "cityops_shell")  # noqa: B009  (our own mark on the app)
        assigned = sorted(tp for tp in self.assignment() if tp.topic in shell.topics)
        try:
            offsets = await shell.place([(tp.topic, tp.partition) for tp in assigned])
        except FatalError as error:
            logger().error("cannot go on", code=error.code, reason=str(error))
            os._exit(EXIT_FATAL)
        except (KafkaError, CityOpsError, psycopg.Error) as error:
            logger().error("no place in the log, leaving for a restart", reason=str(error)[:300])
            os._exit(EXIT_STALLED)
        wanted = {TP(*place): offset for place, offset in offsets.items()}
        await self.seek_wait(wanted)
        shell.vitals.detail(partitions=len(shell.desk.benches))
        shell.vitals.ready()
        return wanted


class DatabaseTransport(driver.Transport):
    """Faust's Kafka transport with our consumer."""

    Consumer = DatabaseConsumer
