"""Signs of life: whether a process answers at all, however unwell it says it is."""

from __future__ import annotations

import http.client
import socket
import struct

from deploy.ports import LOOPBACK

TIMEOUT_S = 3.0
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Kafka's question for the requests a broker knows; it is answered before any login."""
SSL_REQUEST = struct.pack(">ii", 8, 80877103)
"""PostgreSQL's question for encryption; the postmaster answers it before any login."""


def answers(name: str, ports: dict[str, int]) -> bool | None:
    """Tell whether a process answers within 3 s; None when it has nothing that could be asked."""
    if name == "kafka":
        return _replies(ports["kafka"], API_VERSIONS, 4)
    if name == "postgres":
        return _replies(ports["postgres"], SSL_REQUEST, 1)
    if name == "grafana":
        return _serves(ports["grafana"], "/api/health")
    port = ports.get(f"{name}-health")
    return None if port is None else _serves(port, "/health")


def _replies(port: int, question: bytes, size: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=TIMEOUT_S) as asked:
            asked.sendall(question)
            return len(asked.recv(size)) > 0
    except OSError:
        return False


def _serves(port: int, path: str) -> bool:
    asked = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    try:
        asked.request("GET", path)
        return asked.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
