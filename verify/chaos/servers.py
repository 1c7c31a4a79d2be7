"""The servers under chaos: a database, and one broker or three, some behind proxies."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from deploy import ports
from deploy.native import kafka, servers
from deploy.ports import LOOPBACK, free_port
from deploy.process import Child
from verify.chaos.proxy import Proxy
from verify.servers import OwnServers

GROUPS = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info"
"""The broker then logs each generation of a consumer group."""
STABILIZED = re.compile(r"Stabilized group (\S+) generation (\d+)")
SMALL = ("-Xmx200m",)
THREE_FOLD: dict[str, object] = {
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "offsets.topic.num.partitions": 4,
}


@dataclass(slots=True)
class Broker:
    """One node: where it lives, and its process while it has one."""

    number: int
    folder: str
    port: int
    controller: int
    child: Child | None = None


@dataclass(slots=True)
class ChaosServers(OwnServers):
    """Servers whose broker has a second listener, which tells clients to come by the proxy.

    Three brokers keep three copies of everything and take a write that two of them have; they
    have no proxy.
    """

    count: int = 1
    brokers: list[Broker] = field(default_factory=list)
    to_broker: Proxy | None = None
    _more: dict[str, object] = field(default_factory=dict)
    _cluster: str = ""

    def start_broker(self) -> str:
        """Start every broker that does not run; return the address that leads past the proxy."""
        if not self.brokers:
            self._plan()
        idle = [b for b in self.brokers if b.child is None or not b.child.running()]
        with ThreadPoolExecutor(len(idle)) as pool:
            list(pool.map(self._start, idle))
        self.broker = self.brokers[0].child
        self.kafka = ",".join(f"{LOOPBACK}:{b.port}" for b in self.brokers)
        return self.kafka

    def for_members(self) -> str:
        """Return the address that the platform is given."""
        return f"{LOOPBACK}:{self.to_broker.port}" if self.to_broker else self.kafka

    def leader(self, topic: str, partition: int = 0) -> Broker:
        """Return the node that leads a partition."""
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(bootstrap_servers=self.kafka.split(","))
        try:
            (told,) = admin.describe_topics([topic])
            (number,) = (
                p["leader_id"] for p in told["partitions"] if p["partition_index"] == partition
            )
        finally:
            admin.close()
        return next(b for b in self.brokers if b.number == number)

    def generations(self) -> dict[str, int]:
        """Return the highest generation of each consumer group that the brokers have logged."""
        found: dict[str, int] = {}
        for broker in self.brokers:
            log = (self.folder / broker.folder / "kafka.log").read_text(errors="replace")
            for group, number in STABILIZED.findall(log):
                found[group] = max(found.get(group, 0), int(number))
        return found

    def grown(self, before: dict[str, int]) -> int:
        """Return by how much the generation of a group grew, of the one that grew most."""
        now = self.generations()
        return max((number - before.get(group, 0) for group, number in now.items()), default=0)

    def stop(self) -> None:
        """Stop whatever still runs."""
        for broker in self.brokers:
            if broker.child is not None:
                broker.child.signal_group(signal.SIGKILL)
        OwnServers.stop(self)
        if self.to_broker is not None:
            self.to_broker.close()

    def _plan(self) -> None:
        taken: set[int] = set()
        for number in range(1, self.count + 1):
            folder = "kafka" if self.count == 1 else f"kafka-{number}"
            broker = Broker(number, folder, free_port(taken), free_port(taken))
            taken |= {broker.port, broker.controller}
            self.brokers.append(broker)
        if self.count == 1:
            inner = free_port(taken)
            self.to_broker = Proxy(LOOPBACK, inner)
            self._more = self._proxied(self.brokers[0], inner)
        else:
            voters = (f"{b.number}@{LOOPBACK}:{b.controller}" for b in self.brokers)
            self._more = THREE_FOLD | {kafka.VOTERS: ",".join(voters)}
            self._more["controller.quorum.bootstrap.servers"] = ""
            self._cluster = kafka.cluster_id()

    def _proxied(self, broker: Broker, inner: int) -> dict[str, object]:
        assert self.to_broker is not None
        ours, proxied = f"PLAINTEXT://{LOOPBACK}:{broker.port}", f"PROXIED://{LOOPBACK}"
        controller = f"CONTROLLER://{LOOPBACK}:{broker.controller}"
        names = ("CONTROLLER", "PLAINTEXT", "PROXIED")
        return {
            "listeners": f"{ours},{proxied}:{inner},{controller}",
            "advertised.listeners": f"{ours},{proxied}:{self.to_broker.port}",
            "listener.security.protocol.map": ",".join(f"{n}:PLAINTEXT" for n in names),
        }

    def _start(self, broker: Broker) -> None:
        folder = self.folder / broker.folder
        chosen = {"kafka": broker.port, "controller": broker.controller}
        ports.save(folder / "ports.json", chosen)
        more = self._more | ({"node.id": broker.number} if self.count > 1 else {})
        jvm = (*kafka.BRIEF, GROUPS, *(SMALL if self.count > 1 else ()))
        _, broker.child = servers.start_broker(folder, jvm, more, self._cluster)
