"""Topics of one test: a prefix of its own, deleted afterwards."""

from __future__ import annotations

import contextlib
import uuid

from kafka import KafkaAdminClient
from kafka.errors import KafkaError


def unique_prefix() -> str:
    """Return a topic prefix that no other test uses, e.g. `t1a2b3c4d`."""
    return f"t{uuid.uuid4().hex[:8]}"


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete every topic whose name starts with `prefix`."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        names = [name for name in admin.list_topics() if name.startswith(prefix)]
        if names:
            with contextlib.suppress(KafkaError):
                admin.delete_topics(names)
    finally:
        admin.close()
