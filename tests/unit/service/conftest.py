"""Fixtures of the service tests."""

import socket

import pytest


@pytest.fixture
def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
