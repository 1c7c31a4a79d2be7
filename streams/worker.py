"""The Faust shell: records in, outputs out with acks, then the checkpoint; exact after a kill."""

import asyncio
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import faust
import psycopg
from aiokafka import AIOKafkaProducer
from faust.types import TP
from kafka.errors import KafkaError
from mode import Service
from mode.utils.objects import cached_property
from pydantic import Field

from catalog.errors import CityOpsError, TransientError
from catalog.ticks import TICK_TYPE, encode_tick
from catalog.topics import shard_key
from service.clock import SystemClock
from service.kafka import instance_id
from service.log import configure, logger
from service.process import EXIT_STALLED, watch_stalls
from service.settings import Settings
from service.vitals import Vitals
from service.vitals_server import serve_vitals
from storage.overrides import newest
from streams.checkpoint import Place, save
from streams.desk import Desk, Message
from streams.metrics import CHECKPOINT_AGE, CHECKPOINT_BYTES, CHECKPOINT_SECONDS, OUTPUTS
from streams.same_log import SameLog
from streams.servers import wait_for_servers
from streams.transport import DatabaseTransport, credentials, outputs

TICK_S = 1.0
QUIET_TICKS = 30
STALL_S = 30.0
DECISION_S = 5.0
OVERRIDES_S = 2.0
FETCH_BYTES = 4 * 2**20


class WorkerSettings(Settings):
    """Settings of the worker."""

    worker_instance: str = Field(default="0", description="Static member id; one per worker")
    checkpoint_s: float = Field(default=3.0, description="Seconds between checkpoints")


def app_name(settings: Settings) -> str:
    """Return the name that consumer group and checkpoints go by."""
    return f"{settings.topic_prefix}.worker"


class Shell(Service):
    """Sends outputs, ticks and checkpoints beside the agents."""

    def __init__(self, settings: WorkerSettings, vitals: Vitals, **kwargs: Any) -> None:
        self.settings = settings
        self.vitals = vitals
        self.name = app_name(settings)
        self.desk = Desk(settings.topic_prefix)
        self.topics = self.desk.topics()
        self.clock = SystemClock()
        self.app: Any = None
        self._log = SameLog(settings, self.name)
        self._sending = asyncio.Lock()
        self._lost: BaseException | None = None
        self._ends: dict[Place, int] = {}
        """Ends of partitions as the acknowledged ticks tell them: a consumer that has stopped
        fetching tells none."""
        self._stored_at = self.clock.monotonic()
        CHECKPOINT_AGE.set_function(lambda: self.clock.monotonic() - self._stored_at)
        super().__init__(**kwargs)

    @cached_property
    def producer(self) -> AIOKafkaProducer:
        """Return the producer of all outputs."""
        return outputs(self.settings.kafka, self.name)

    async def on_start(self) -> None:
        """Connect the producer before an agent has anything to send."""
        await self.producer.start()

    async def on_shutdown(self) -> None:
        """Leave without a last checkpoint: the next start works off the same records again.

        Only now, when no task is left that could still send.
        """
        await self.producer.stop()

    async def place(self, places: list[Place]) -> dict[Place, int]:
        """Lay out the desk from the checkpoints; return where to read on.

        Partitions of another log than their checkpoint's are left alone, which health says.
        """
        look, stored = await asyncio.to_thread(self._log.begin, places)
        stopped = set(look.stopped())
        begin = {place: look.starts[place] for place in places if place not in stopped}
        self.desk.lay_out(begin, stored, look.ids)
        self.vitals.trouble(self._log.reason)
        ends = {place: look.ends[place] for place in stopped}
        return ends | {place: bench.next_offset for place, bench in self.desk.benches.items()}

    async def work(self, stream: Any) -> None:
        """Work off records until the worker stops; the body of each agent."""
        async for event in stream.events():
            message = event.message
            now = self.clock.now()
            place = (message.topic, message.partition)
            if self.desk.skips(place, message.offset):
                logger().error("records are missing, leaving for a restart", topic=message.topic)
                os._exit(EXIT_STALLED)
            written = datetime.fromtimestamp(message.timestamp, UTC) if message.timestamp else None
            rows = self.desk.handle(
                place, message.offset, event.value, message.headers, now, written
            )
            self.vitals.progress(rows, newest=now if rows else None)
            if self.desk.outbox:
                await self.send_outbox()

    async def send_outbox(self) -> None:
        """Hand everything in the outbox to the producer, in order."""
        async with self._sending:
            while self.desk.outbox:
                messages, self.desk.outbox = self.desk.outbox, []
                for message in messages:
                    await self._send(message)

    @Service.task
    async def _checkpoints(self) -> None:
        while not self.should_stop:
            await self.sleep(self.settings.checkpoint_s)
            try:
                await self._checkpoint()
            except (CityOpsError, psycopg.Error, Exception) as error:
                # the state in memory is ahead of what is stored: only a restart is exact
                logger().error("checkpoint failed, leaving for a restart", reason=str(error)[:300])
                os._exit(EXIT_STALLED)

    async def _checkpoint(self) -> None:
        """Snapshot, then send and flush all outputs up to it, then store; in this order."""
        begun = self.clock.monotonic()
        taken = self.desk.checkpoints(QUIET_TICKS)
        await self.send_outbox()
        await self.producer.flush()
        if self._lost is not None:
            raise self._lost
        if taken:
            await self._assert_same_log()
            size = await asyncio.to_thread(save, self.settings.database(), self.name, taken)
            self.vitals.detail(checkpoint_bytes=size)
            CHECKPOINT_BYTES.set(size)
            CHECKPOINT_SECONDS.observe(self.clock.monotonic() - begun)
        self._stored_at = self.clock.monotonic()

    async def _assert_same_log(self) -> None:
        """Raise ``TransientError`` when the broker's log is not the one that was worked off.

        The outputs have just been acknowledged: a broker that is still away is none of this.
        """
        marks, connections = self.desk.marks(), self._connections()
        if not await asyncio.to_thread(self._log.holds, marks, connections):
            raise TransientError("Kafka's log is another one", code="another_log", stage="storing")

    def _connections(self) -> dict[Any, Any]:
        """Return the clients' connections to the broker."""
        consumer = self.app.consumer._thread._consumer
        clients = {"consumer": consumer and consumer._client, "producer": self.producer.client}
        return {
            (name, *node): connection
            for name, client in clients.items()
            for node, connection in (client._conns if client else {}).items()
        }

    @Service.task
    async def _wait_for_decision(self) -> None:
        """Begin again when a log that is another one may be gone on with."""
        while not self.should_stop:
            await self.sleep(DECISION_S)
            with suppress(KafkaError, CityOpsError, psycopg.Error):
                if await asyncio.to_thread(self._log.is_decided):
                    logger().warning("the log may be gone on with, leaving for a restart")
                    os._exit(EXIT_STALLED)

    @Service.task
    async def _overrides(self) -> None:
        """Put what people have set for sensors into the log of the partitions owned here."""
        while not self.should_stop:
            await self.sleep(OVERRIDES_S)
            with suppress(CityOpsError, psycopg.Error):
                self.desk.tell_overrides(await asyncio.to_thread(newest, self.settings.database()))
                await self.send_outbox()

    @Service.task
    async def _turn(self) -> None:
        while not self.should_stop:
            self.vitals.loop_turned()
            await asyncio.sleep(TICK_S)

    @Service.task
    async def _ticks(self) -> None:
        while not self.should_stop:
            await self.sleep(TICK_S)
            at = encode_tick(int(self.clock.now().timestamp()), self.desk.pulse.beat())
            for topic, partition in list(self.desk.benches):
                await self._send(Message(topic, partition, TICK_TYPE, at))
            self.vitals.lag(self._lag())
            self.vitals.detail(readings_too_late=self.desk.too_late)

    def _lag(self) -> int:
        consumer = self.app.consumer
        waiting = 0
        for place, bench in self.desk.benches.items():
            end = max(consumer.highwater(TP(*place)) or 0, self._ends.get(place, 0))
            waiting += max(0, end - bench.next_offset)
        return waiting

    async def _send(self, message: Message) -> None:
        OUTPUTS.labels(message.kind).inc()
        sent = await self.producer.send(
            message.topic,
            value=message.value,
            key=shard_key(message.partition),
            partition=message.partition,
            headers=[("ce_specversion", b"1.0"), ("ce_type", message.kind.encode())],
        )
        sent.add_done_callback(self._answered)

    def _answered(self, sent: asyncio.Future[Any]) -> None:
        """Remember that Kafka refused an output: no checkpoint may cover what is lost."""
        if sent.cancelled():
            return
        if (error := sent.exception()) is not None:
            self._lost = error
        else:
            stored = sent.result()
            self._ends[stored.topic, stored.partition] = stored.offset + 1


def build_app(settings: WorkerSettings, vitals: Vitals, ids: Iterable[str] = ()) -> Any:
    """Return the Faust app: an agent per stream, and the shell beside them.

    ``ids`` are those of the topics: with others it is another member of its group.

    Agents take turns record by record, so a backlog in one stream holds up no other one's alerts.
    """
    shell, name = Shell(settings, vitals), app_name(settings)
    topics = [*shell.topics, *ids]
    app: Any = faust.App(
        name,
        broker=f"kafka://{settings.kafka}",
        broker_credentials=credentials(),
        datadir=str(settings.state_dir / "faust"),
        consumer_group_instance_id=instance_id(name, settings.worker_instance, topics),
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=65536,
        consumer_max_fetch_size=FETCH_BYTES,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        worker_redirect_stdouts=False,
        key_serializer="raw",
        value_serializer="raw",
    )
    shell.app = app
    app.cityops_shell = shell
    app.transport = DatabaseTransport([app.conf.broker[0]], app)
    for name, stream in shell.topics.items():
        topic = app.topic(name, value_type=bytes, value_serializer="raw", key_serializer="raw")
        app.agent(topic, name=stream.name)(shell.work)
    app.service(shell)
    return app


def run_worker(settings: WorkerSettings) -> None:
    """Run the worker in the foreground until SIGTERM; leaves the process."""
    name = settings.process or "worker"
    configure(name, settings.log_level)
    (settings.state_dir / "faust").mkdir(parents=True, exist_ok=True)
    vitals, stop = Vitals(name), threading.Event()
    serve_vitals(vitals, settings.metrics_port)
    ids = wait_for_servers(settings, vitals, stop)
    threading.Thread(target=watch_stalls, args=(vitals, stop, STALL_S), daemon=True).start()
    app = build_app(settings, vitals, ids)
    faust.Worker(
        app, override_logging=False, redirect_stdouts=False, quiet=True
    ).execute_from_commandline()
