"""The addresses that `make env` puts into a shell, and how a later `make run` there treats them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, MutableMapping

from deploy.paths import Layout

MARK = "CITYOPS_PLATFORM"
"""Whose addresses they are: the state folder of the platform that they came from."""
NAMES = (
    *("CITYOPS_KAFKA", "CITYOPS_DSN", "CITYOPS_GATEWAY", "CITYOPS_CONSOLE"),
    *("CITYOPS_API_KEY", "CITYOPS_GRAFANA", "CITYOPS_KAFKA_USER", "CITYOPS_KAFKA_PASSWORD"),
    *("CITYOPS_KAFKA_PASSWORD_FILE", "CITYOPS_KAFKA_MECHANISM", "CITYOPS_KAFKA_CA"),
)


def exports(layout: Layout, addresses: Mapping[str, str]) -> str:
    """Return the lines that a shell evaluates."""
    given = {**addresses, MARK: str(layout.state)}
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in given.items())


def forget(environment: MutableMapping[str, str], layout: Layout) -> str:
    """Take the addresses of `make env` out of an environment; return what to tell about it.

    They lead to a platform that has processes of its own: ours beside them would take its work from
    it. Servers that are meant come with CITYOPS_RUNTIME=external and without the mark.
    """
    if not (whose := environment.pop(MARK, "")):
        return ""
    gone = [name for name in NAMES if environment.pop(name, None)]
    if whose == str(layout.state) or not gone:
        return ""
    return (
        f"this shell has the addresses of the platform in {whose} (make env);"
        " this checkout starts servers of its own and does not use them"
    )
