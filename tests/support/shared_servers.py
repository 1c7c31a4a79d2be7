"""The two servers of a test run: native ones, or containers where only Docker can be had."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping

from deploy.docker import docker_answers, image
from deploy.errors import MissingPackagesError
from deploy.native import kafka as kafka_server
from deploy.native import timescale
from deploy.native.servers import start_broker, start_database
from deploy.ports import LOOPBACK, free_port
from deploy.wait import wait_until
from tests.support.shared import Made, Shared


def make_kafka(shared: Shared) -> Made:
    """Start the run's broker."""
    try:
        bootstrap, child = start_broker(shared.folder / "kafka", kafka_server.BRIEF)
    except MissingPackagesError as error:
        return _kafka_container(error)
    shared.kept.append(child)
    return Made(bootstrap, child.pid)


def make_database(shared: Shared) -> Made:
    """Start the run's database server."""
    try:
        dsn, child = start_database(shared.folder / "postgres")
    except MissingPackagesError as error:
        return _database_container(error)
    shared.kept.append(child)
    return Made(dsn, child.pid, signal.SIGQUIT)  # PostgreSQL's immediate stop: leaves no memory


def _kafka_container(why: MissingPackagesError) -> Made:
    port = free_port()
    bootstrap = f"{LOOPBACK}:{port}"
    env = {
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{bootstrap}",
    }
    name = _container(why, image("kafka"), (9092, port), env, lambda: kafka_server.ready(bootstrap))
    return Made(bootstrap, container=name)


def _database_container(why: MissingPackagesError) -> Made:
    port = free_port()
    dsn = timescale.dsn(port, "test-only")
    env = {"POSTGRES_PASSWORD": "test-only"}
    name = _container(why, image("timescaledb"), (5432, port), env, lambda: timescale.ready(dsn))
    return Made(dsn, container=name)


def _container(
    why: MissingPackagesError,
    wanted: str,
    ports: tuple[int, int],
    env: Mapping[str, str],
    ready: Callable[[], bool],
) -> str:
    """Run `wanted` with the second of `ports` on loopback forwarded to the first; return its id."""
    if not docker_answers():
        raise why
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # its own reaper would end the container with the worker that started it
    testcontainers_config.ryuk_disabled = True
    box = DockerContainer(wanted).with_bind_ports(ports[0], ports[1])
    for name, value in env.items():
        box = box.with_env(name, value)
    box.start()
    wait_until(ready, 120.0, f"{wanted} ready")
    return str(box.get_wrapped_container().id)
