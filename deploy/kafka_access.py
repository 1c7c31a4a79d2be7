"""Our broker's doors: SASL on every listener, a user a process, and its rights by `deploy.rights`.

Clients prove themselves by SCRAM-SHA-512. Controllers know no SCRAM, and somebody must be known
before the first SCRAM user is made: so the broker itself and its administrator use PLAIN, with
passwords that stand in the broker's own settings (mode 0600). Everything is on loopback.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kafka import admin as kafka_admin
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from deploy.errors import DeployError
from deploy.native import servers
from deploy.native.kafka import PATIENTLY, VOTERS, asking, properties
from deploy.native.servers import stored_password
from deploy.ports import LOOPBACK
from deploy.process import Child
from deploy.rights import ADMIN, BROKER, CONTAINER_SETTINGS, KAFKA, KafkaRights, kafka_secret
from service.kafka_login import PREFIX as VARIABLE
from service.kafka_login import Login

LISTENER = "CLIENTS"
MODULE = "org.apache.kafka.common.security"
SCRAM = f"{MODULE}.scram.ScramLoginModule required;"
ITERATIONS = 4096
"""RFC 7677's least; the passwords are random, so more would only make connections slower."""

CONTAINER_DATA, CONTAINER_CONTROLLER = Path("/var/lib/kafka/data"), 9093
"""Where the broker of compose.yaml keeps its log, and its controller's port, both inside it."""

Wish = tuple[str, int, str, int, int]
"""User, kind of resource, its name, kind of pattern, operation: what one rule allows."""


def settings(
    port: int, controller_port: int, secrets: Path, listen: str = LOOPBACK
) -> dict[str, object]:
    """Return the broker's settings beyond `deploy.native.kafka.properties`: nobody without name.

    Clients reach it at loopback; it listens on ``listen``.
    """
    passwords = {name: stored_password(secrets / kafka_secret(name)) for name in (BROKER, ADMIN)}
    known = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
    own = f'username="{BROKER}" password="{passwords[BROKER]}"'
    plain = f"{MODULE}.plain.PlainLoginModule required {own} {known};"
    clients = f"listener.name.{LISTENER.lower()}"
    return {
        "listeners": f"{LISTENER}://{listen}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"{LISTENER}://{LOOPBACK}:{port}",
        "listener.security.protocol.map": f"CONTROLLER:SASL_PLAINTEXT,{LISTENER}:SASL_PLAINTEXT",
        "inter.broker.listener.name": LISTENER,
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        f"{clients}.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
        f"{clients}.plain.sasl.jaas.config": plain,
        f"{clients}.scram-sha-512.sasl.jaas.config": SCRAM,
        f"{clients}.scram-sha-256.sasl.jaas.config": SCRAM,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{BROKER};User:{ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
    }


def write_container_settings(port: int, secrets: Path) -> Path:
    """Write server.properties of the broker in a container, for its owner alone; return the file.

    It has the same doors, users and rules as a broker of our own. Docker hands its port on from
    loopback, so inside it listens on every address, on the same number: the broker is a client of
    itself at what it advertises.
    """
    closed = settings(port, CONTAINER_CONTROLLER, secrets, "0.0.0.0")
    # the image formats the log for voters that the settings name
    closed[VOTERS] = f"1@{LOOPBACK}:{CONTAINER_CONTROLLER}"
    file = secrets / CONTAINER_SETTINGS
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(properties(CONTAINER_DATA, port, CONTAINER_CONTROLLER, closed))
    return file


def administrator(secrets: Path) -> Login:
    """Return the login of who makes users and rights."""
    return Login(ADMIN, stored_password(secrets / kafka_secret(ADMIN)), "PLAIN")


def start_closed(folder: Path, secrets: Path, jvm: Sequence[str] = ()) -> tuple[str, Child]:
    """Start a broker of its own behind these doors, with users and rights; as `start_broker`."""
    ports = servers.ports_of(folder, *servers.BROKER_PORTS)
    closed = settings(ports["kafka"], ports["controller"], secrets)
    who = administrator(secrets)
    bootstrap, child = servers.start_broker(folder, jvm, closed, who=who)
    grant(bootstrap, secrets)
    return bootstrap, child


def environment(user: str, secrets: Path) -> dict[str, str]:
    """Return the variables by which a process has its login; none where it has no rights."""
    if user not in KAFKA:
        return {}
    file = secrets / kafka_secret(user)
    return {f"{VARIABLE}USER": user, f"{VARIABLE}PASSWORD_FILE": str(file)}


def grant(
    bootstrap: str,
    secrets: Path,
    rights: Mapping[str, KafkaRights] = KAFKA,
    prefix: str = "",
    who: Login | None = None,
) -> None:
    """Make every user with its password and exactly its rights; safe to repeat.

    The rights are to topics and groups that begin with ``prefix``, by default the platform's.
    ``who`` makes them, by default the administrator of a broker of our own.
    """
    prefix = prefix or os.environ.get("CITYOPS_TOPIC_PREFIX") or "city"
    client = asking(bootstrap, who or administrator(secrets), PATIENTLY)
    try:
        _make_users(client, secrets)
        _make_rules(client, set(wishes(rights, prefix)))
    finally:
        client.close()


def wishes(rights: Mapping[str, KafkaRights], prefix: str) -> Iterator[Wish]:
    """Yield every rule that the table asks for."""
    topic, group = int(ResourceType.TOPIC), int(ResourceType.GROUP)
    begins, exact = int(ACLResourcePatternType.PREFIXED), int(ACLResourcePatternType.LITERAL)
    for user, right in rights.items():
        for operation in (ACLOperation.DESCRIBE, ACLOperation.CREATE):
            yield user, topic, f"{prefix}.", begins, int(operation)
        for name in right.reads:
            yield user, topic, f"{prefix}.{name}", begins, int(ACLOperation.READ)
        for name in right.writes:
            yield user, topic, f"{prefix}.{name}", begins, int(ACLOperation.WRITE)
        if right.group:
            yield user, group, f"{prefix}{right.group}", exact, int(ACLOperation.READ)


def _make_users(client: Any, secrets: Path) -> None:
    types: Any = kafka_admin  # the checker's own description of this package is an older one's
    wanted = [
        types.UserScramCredentialUpsertion(
            user,
            types.ScramMechanism.SCRAM_SHA_512,
            stored_password(secrets / kafka_secret(user)),
            ITERATIONS,
        )
        for user in KAFKA
    ]
    said: dict[str, str | None] = client.alter_user_scram_credentials(wanted)
    if wrong := {user: why for user, why in said.items() if why}:
        raise DeployError(f"Kafka did not take its users: {wrong}")


def _make_rules(client: Any, wanted: set[Wish]) -> None:
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    every = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
    found: list[Any] = client.describe_acls(every)[0]
    ours = {_wish_of(acl): acl for acl in found if acl.principal.partition(":")[2] in KAFKA}
    if gone := [_filter(acl) for wish, acl in ours.items() if wish not in wanted]:
        client.delete_acls(gone)
    if new := [_rule(wish) for wish in sorted(wanted - ours.keys())]:
        made: Any = client.create_acls(new)
        if made["failed"]:
            raise DeployError(f"Kafka did not take its rules: {made['failed']}")


def _rule(wish: Wish) -> ACL:
    user, kind, name, pattern, operation = wish
    on = ResourcePattern(ResourceType(kind), name, ACLResourcePatternType(pattern))
    may = ACLPermissionType.ALLOW
    return ACL(f"User:{user}", "*", ACLOperation(operation), may, on)


def _wish_of(acl: Any) -> Wish:
    on = acl.resource_pattern
    kinds = int(on.resource_type), str(on.resource_name), int(on.pattern_type)
    return acl.principal.partition(":")[2], *kinds, int(acl.operation)


def _filter(acl: Any) -> ACLFilter:
    on = acl.resource_pattern
    one = ResourcePatternFilter(on.resource_type, on.resource_name, on.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, one)
