"""Topics of one test: a prefix of its own, what is on them, deleted afterwards."""

from __future__ import annotations

import contextlib
import uuid

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from verify.topics import begins, ends, records

__all__ = ["begins", "delete_topics", "ends", "records", "unique_prefix"]


def unique_prefix() -> str:
    """Return a topic prefix that no other test uses, e.g. `t1a2b3c4d`."""
    return f"t{uuid.uuid4().hex[:8]}"


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete every topic whose name starts with `prefix`."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=30_000)
    try:
        # a tidy-up only: a busy broker may answer late, and no test depends on it
        with contextlib.suppress(KafkaError):
            names = [name for name in admin.list_topics() if name.startswith(prefix)]
            if names:
                admin.delete_topics(names)
    finally:
        admin.close()
