"""Sink, worker and alerts engine upon a log and a database that are lost or put back older."""

import shutil
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from catalog.declared import files_of
from catalog.registry import stream
from catalog.topics import all_topics, readings_topic, shard_of
from ingest.producer import FrameProducer
from service.kafka import ensure_topics
from service.settings import Settings
from tests.support.frames import START, noise_batch
from tests.support.servers import OwnServers, Spawned, Spawner, outer_environment, wait_until

SENSOR = "n-1"
TOPIC, SHARD = readings_topic("city", "noise"), shard_of(SENSOR)
LONG_S = 60.0
SYSTEM = "environment"
"""One system is enough, and its processes start in a third of the time that all take."""
STREAMS = tuple(file.stem for file in files_of("streams") if file.parts[-3] == SYSTEM)


@dataclass
class Platform:
    """Sink, worker and alerts engine upon a broker that the test may wipe."""

    own: OwnServers
    dsn: str
    spawn: Spawner
    running: list[Spawned] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self.settings = Settings(kafka=self.own.start_broker(), dsn=SecretStr(self.dsn))
        self.env = {"CITYOPS_KAFKA": self.settings.kafka, "CITYOPS_CHECKPOINT_S": "0.5"}
        self.env |= {"CITYOPS_SYSTEMS": SYSTEM}
        self.make_topics()

    def make_topics(self) -> None:
        ensure_topics(self.settings.kafka, all_topics("city", STREAMS))

    def start(self, healthy: bool = True) -> None:
        rooms = (("storage", "sink"), ("streams", "worker"), ("alerts", "engine"))
        self.running = [self.spawn(*room, env=self.env, deadline_s=None) for room in rooms]
        for process in self.running if healthy else ():
            process.wait_healthy(LONG_S)

    def kill(self) -> None:
        for process in self.running:
            process.kill9()

    def send(self, count: int) -> None:
        """Send readings one second apart, each a frame of its own."""
        with closing(FrameProducer(self.settings, "test")) as frames:
            for second in range(self.sent, self.sent + count):
                batch = noise_batch([(SENSOR, second, 50.0)])
                frames.send(stream("noise"), batch, START + timedelta(seconds=second)).wait(10.0)
        self.sent += count

    def rows(self) -> list[int]:
        """Return the seconds after START of which there is a row."""
        with psycopg.connect(self.dsn) as conn:
            found = conn.execute("SELECT observed_at FROM readings_noise ORDER BY 1").fetchall()
        return [round((at - START) / timedelta(seconds=1)) for (at,) in found]

    def minute(self) -> int:
        """Return how many readings the worker has counted into the first minute, late ones not."""
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute("SELECT max(n) FROM aggregates_noise").fetchone()
        return row[0] or 0 if row else 0

    def flags(self) -> int:
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute("SELECT count(*) FROM qc_flags WHERE test = 'late'").fetchone()
        return row[0] if row else 0

    def reached(self, table: str) -> int:
        """Return the next offset of the sensor's partition."""
        query = f"SELECT next_offset FROM {table} WHERE topic = %s AND partition = %s"
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute(query.encode(), [TOPIC, SHARD]).fetchone()
        return row[0] if row else 0

    def says(self, word: str) -> bool:
        """Tell whether sink and worker are unwell for this reason and name the way out."""
        said = [str(process.health().get("reason")) for process in self.running[:2]]
        return all(word in reason and "make new-log" in reason for reason in said)

    def new_log(self) -> str:
        env = outer_environment() | self.env | {"CITYOPS_DSN": self.dsn}
        line = [sys.executable, "-m", "storage", "new-log", "--yes"]
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def revive(self, healthy: bool = True) -> None:
        """Start again what left for that, as the supervisor does."""
        for number, process in enumerate(self.running):
            if process.child.handle.poll() is not None:
                self.running[number] = self.spawn(
                    *process.child.name.split("-"),
                    env=self.env,
                    deadline_s=LONG_S if healthy else None,
                )

    def alerts(self) -> list[tuple[str, str]]:
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(
                "SELECT rule, status FROM episodes WHERE rule = 'platform.log_changed'"
            ).fetchall()


@dataclass
class Copies:
    """Copies of log and database, taken while nothing runs, and put back after a kill of all."""

    platform: Platform
    server: str

    def __post_init__(self) -> None:
        self.data = self.platform.own.folder / "kafka" / "data"
        self.log = self.platform.own.folder / "copy"
        self.name = str(conninfo_to_dict(self.platform.dsn)["dbname"])

    def take_log(self) -> None:
        assert self.platform.own.broker is not None
        self.platform.kill()
        self.platform.own.broker.stop()
        shutil.copytree(self.data, self.log)
        self.platform.own.start_broker()
        self.platform.start()

    def take_database(self) -> None:
        self.platform.kill()
        self._copy(self.name, f"{self.name}_copy")
        self.platform.start()

    def put_back(self, log: bool = False, database: bool = False) -> None:
        self.platform.kill()
        if log:
            assert self.platform.own.broker is not None
            self.platform.own.broker.kill9()
            shutil.rmtree(self.data)
            self.log.rename(self.data)
            self.platform.own.start_broker()
        if database:
            self._do("DROP DATABASE {} WITH (FORCE)", self.name)
            self._copy(f"{self.name}_copy", self.name)

    def drop(self) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", f"{self.name}_copy")

    def _copy(self, source: str, target: str) -> None:
        """Copy a database that nothing of ours uses; TimescaleDB's scheduler comes again."""

        def done() -> bool:
            self._do(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"
            )
            with suppress(psycopg.errors.ObjectInUse):
                self._do(f'CREATE DATABASE {{}} TEMPLATE "{source}"', target)
                return True
            return False

        wait_until(done, LONG_S, f"copy of {source}")

    def _do(self, statement: str, name: str = "") -> None:
        with psycopg.connect(self.server, autocommit=True) as conn:
            conn.execute(statement.replace("{}", f'"{name}"').encode())


def work_off(platform: Platform, count: int) -> None:
    """Send readings and wait until all are rows and lie below a checkpoint."""
    platform.send(count)
    wanted = list(range(platform.sent))
    wait_until(lambda: platform.rows() == wanted, LONG_S, "rows")
    stored = platform.reached("consumer_offsets")
    wait_until(lambda: platform.reached("checkpoints") >= stored, LONG_S, "a checkpoint behind")


def recovered(platform: Platform) -> None:
    """See everything stored and counted once, and nobody unwell."""
    wanted = list(range(platform.sent))
    wait_until(lambda: platform.rows() == wanted, LONG_S, "every reading a row")
    wait_until(
        lambda: (platform.revive(), platform.minute() == platform.sent)[1], LONG_S, "the minute"
    )
    assert platform.flags() == 0, "nothing was evaluated twice"
    for process in platform.running:
        process.wait_healthy(LONG_S)
    wait_until(
        lambda: platform.alerts() == [("platform.log_changed", "cleared")], LONG_S, "it is over"
    )
