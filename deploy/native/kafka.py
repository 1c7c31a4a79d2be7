"""Apache Kafka as one KRaft node on loopback, resolved by Maven."""

from __future__ import annotations

import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.errors import DeployError
from deploy.native import packages
from deploy.native.cache import once
from deploy.paths import make_private
from deploy.ports import LOOPBACK
from deploy.progress import step
from service.kafka_login import OPEN, Login

VERSION = "4.1.1"
HERE = Path(__file__).parent
NEEDED = ("java", "mvn")
CHECKSUMS = HERE / "kafka.sha256"
"""SHA-256 of every jar; after a change of pom.xml: `sha256sum *.jar` of a checked fetch."""

# A small heap with the serial collector: the broker's speed is the page cache's, and an idle
# broker should cost little on a two-core machine.
JVM = (
    "-Xms96m",
    "-Xmx512m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=30",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
)

BRIEF = ("-XX:TieredStopAtLevel=1",)
"""For a broker that lives for minutes: without the second compiler, which pays only later, it is
ready after 2.4 s of processor instead of 4.3."""

# Warnings only, but the lines that tell a start and a stop; the two silenced loggers print the
# whole configuration at each start and a notice per unknown client setting.
LOGGING = {
    "defaultLogLevel": "warn",
    "showDateTime": "true",
    "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "showThreadName": "false",
    "log.kafka.server.KafkaRaftServer": "info",
    "log.org.apache.kafka.common.config": "error",
    "log.org.apache.kafka.common.utils.AppInfoParser": "error",
}

VOTERS = "controller.quorum.voters"
NOTHING: Mapping[str, object] = MappingProxyType({})

QUICKLY: Mapping[str, Any] = MappingProxyType(
    {"request_timeout_ms": 2000, "bootstrap_timeout_ms": 2000}
)
PATIENTLY: Mapping[str, Any] = MappingProxyType(
    {"request_timeout_ms": 30_000, "bootstrap_timeout_ms": 30_000}
)
"""For what must be done and not only asked: a busy broker takes seconds for it."""


def install(cache: Path) -> Path:
    """Return the folder of Kafka's jars, resolving them with Maven the first time."""
    packages.ensure(NEEDED)
    wanted = sha256((HERE / "pom.xml").read_bytes() + CHECKSUMS.read_bytes()).hexdigest()[:8]
    return once(cache / f"kafka-{VERSION}-{wanted}", _resolve)


def _resolve(folder: Path) -> None:
    command = ["mvn", "-q", "-B", "--strict-checksums", "-f", str(HERE / "pom.xml")]
    command += [f"-Dkafka.version={VERSION}"]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    with step(f"fetching Apache Kafka {VERSION} with Maven (about half a minute)"):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise DeployError(f"Maven could not resolve Apache Kafka {VERSION}:\n{said}")
    check(folder, CHECKSUMS)


def check(folder: Path, checksums: Path) -> None:
    """Raise DeployError unless `folder` holds exactly the files of `checksums`, byte for byte."""
    lines = (line.split() for line in checksums.read_text().splitlines())
    wanted = {name: digest for digest, name in lines}
    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    if wrong := sorted(n for n in wanted.keys() | found if wanted.get(n) != found.get(n)):
        raise DeployError(
            f"what Maven fetched is not what {checksums.name} names, nothing is used: "
            + ", ".join(wrong)
        )


def prepare(
    libs: Path,
    folder: Path,
    port: int,
    controller_port: int,
    more: Mapping[str, object] = NOTHING,
    cluster: str = "",
) -> Path:
    """Write the broker's configuration into `folder`, format its log once, return the file.

    `more` are settings beyond a single node's; with controllers named in `VOTERS` it is one of
    several nodes, which are formatted for the same `cluster`.
    """
    make_private(folder)  # the log is the city's data, and the settings hold passwords
    config = folder / "server.properties"
    data = folder / "data"
    config.touch(mode=0o600)
    config.chmod(0o600)
    config.write_text(properties(data, port, controller_port, more))
    if not (data / "meta.properties").exists():
        arguments = ["format", "-t", cluster or cluster_id(), "-c", str(config)]
        alone = [] if VOTERS in more else ["--standalone"]
        _tool(libs, "kafka.tools.StorageTool", [*arguments, *alone])
    return config


def cluster_id() -> str:
    """Return a new id of a cluster."""
    # version 4 ids may begin with "-", which the tool would take for an option
    return "c" + urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]


def properties(
    data: Path, port: int, controller_port: int, more: Mapping[str, object] = NOTHING
) -> str:
    """Return server.properties for a single node that is broker and controller, and `more`."""
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": data,
        "num.partitions": 4,
        "auto.create.topics.enable": "false",
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        "group.initial.rebalance.delay.ms": 0,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        # the cleaner's default buffer is 128 MB of heap that nothing here needs
        "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
        "log.index.size.max.bytes": 2 * 1024 * 1024,
        "log.segment.bytes": 128 * 1024 * 1024,
        "log.retention.hours": 48,
        "log.retention.check.interval.ms": 60_000,
        "controlled.shutdown.enable": "true",
        # a killed broker may register again only when its old session is over (default 9 s)
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
    }
    return "".join(f"{name}={value}\n" for name, value in {**settings, **more}.items())


def command(libs: Path, config: Path, jvm: Sequence[str] = ()) -> list[str]:
    """Return the command line of the broker; ``jvm`` are further options of its virtual machine."""
    logging = [f"-Dorg.slf4j.simpleLogger.{name}={value}" for name, value in LOGGING.items()]
    return ["java", *JVM, *jvm, *logging, "-cp", f"{libs}/*", "kafka.Kafka", str(config)]


def ready(bootstrap: str, who: Login = OPEN) -> bool:
    """Tell whether a broker of `bootstrap` (host:port,…) answers a metadata request of `who`."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        client = asking(bootstrap, who)
    except (OSError, KafkaError):
        return False
    try:
        client.list_topics()
        return True
    except KafkaError:
        return False
    finally:
        client.close()


def asking(bootstrap: str, who: Login, times: Mapping[str, Any] = QUICKLY) -> KafkaAdminClient:
    """Return a client that waits for two seconds at most, or so long as ``times`` say."""
    options = {**times, **who.options()}
    return KafkaAdminClient(bootstrap_servers=bootstrap.split(","), **options)


def cluster_of(bootstrap: str, who: Login = OPEN) -> str:
    """Return the id of the cluster that answers at `bootstrap`; DeployError when none does."""
    try:
        client = asking(bootstrap, who)
        try:
            said: Any = client.describe_cluster()
        finally:
            client.close()
    except (OSError, KafkaError) as error:
        raise DeployError(f"no Kafka answers at {bootstrap}: {error!r}") from error
    return str(said["cluster_id"])


def _tool(libs: Path, main: str, arguments: list[str]) -> None:
    logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    line = ["java", "-XX:+UseSerialGC", *BRIEF, logging, "-cp", f"{libs}/*"]
    done = subprocess.run([*line, main, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise DeployError(f"{main} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")
