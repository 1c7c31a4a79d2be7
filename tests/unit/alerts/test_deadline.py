"""Receivers that drip, hang or never end an answer: one deadline over the whole exchange."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest

from alerts.delivery import attempt
from alerts.delivery.attempt import Caller, Owed, Result
from alerts.delivery.guard import Guard

DEADLINE_S = 0.6
DRIP_S = 0.1
BUSY_S = 10.0
"""What a busy machine may add; without a deadline these receivers are waited for for ever."""
Answer = Callable[[socket.socket, threading.Event], None]


@pytest.fixture(autouse=True)
def deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "TIMEOUT_S", DEADLINE_S)
    monkeypatch.setattr(attempt, "BODY_S", 0.2)


@contextmanager
def answering(answer: Answer) -> Iterator[int]:
    """Give a port on which every connection is answered so."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve() -> None:
        while not over.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=talk, args=(peer,), daemon=True)
            thread.start()
            threads.append(thread)

    def talk(peer: socket.socket) -> None:
        with peer, suppress(OSError):  # the platform has gone away, as it should
            answer(peer, over)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            server.join(10)
            for thread in threads:
                thread.join(10)


def drip(peer: socket.socket, over: threading.Event, head: bytes, part: bytes) -> None:
    """Say the head, then one part after another, without an end."""
    peer.recv(65536)
    peer.sendall(head)
    while not over.wait(DRIP_S):
        peer.sendall(part)


def call(port: int, *, scheme: str = "http", format: str = "cityops") -> tuple[Result, float]:
    owed = Owed("msg_1", 1, "{}", "application/json", f"{scheme}://127.0.0.1:{port}/", format, ())
    begun = time.monotonic()
    with Caller(Guard(["127.0.0.1"])) as caller:
        made = caller.attempt(owed, datetime.now(UTC))
    return made, time.monotonic() - begun


def dripped_headers(peer: socket.socket, over: threading.Event) -> None:
    drip(peer, over, b"HTTP/1.1 200 OK\r\nx-slow: ", b"a")


def endless_continues(peer: socket.socket, over: threading.Event) -> None:
    drip(peer, over, b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def nothing(peer: socket.socket, over: threading.Event) -> None:
    over.wait(10)


def dripped_handshake(peer: socket.socket, over: threading.Event) -> None:
    drip(peer, over, b"\x16\x03\x03\x40\x00", b"\x02")  # a TLS record of 16 KiB, byte by byte


@pytest.mark.parametrize(
    ("answer", "scheme", "error"),
    [
        (dripped_headers, "http", f"no answer within {DEADLINE_S:g} s"),
        (endless_continues, "http", f"no answer within {DEADLINE_S:g} s"),
        (nothing, "http", f"no answer within {DEADLINE_S:g} s"),
        (nothing, "https", "ConnectTimeout"),
        (dripped_handshake, "https", "ConnectTimeout"),
    ],
)
def test_an_answer_that_does_not_come_to_its_headers_is_a_failed_attempt(
    answer: Answer, scheme: str, error: str
) -> None:
    with answering(answer) as port:
        made, took = call(port, scheme=scheme)
    assert (made.delivered, made.status) == (False, None)
    assert made.error == error
    assert took < DEADLINE_S + BUSY_S


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b""),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["no length, kept open", "a body that drips", "no content"],
)
def test_a_2xx_with_its_headers_is_delivered_whatever_comes_of_the_body(
    head: bytes, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "TIMEOUT_S", BUSY_S)
    with answering(lambda peer, over: drip(peer, over, head, part)) as port:
        made, took = call(port)
    assert made.delivered, made.error
    assert took < BUSY_S, "the queue is not held up by a body that nobody needs"


def test_a_body_that_breaks_off_takes_a_2xx_not_back() -> None:
    def broken(peer: socket.socket, over: threading.Event) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    with answering(broken) as port:
        assert call(port)[0].delivered
        assert not call(port, format="wecom")[0].delivered, "a robot's verdict is in its body"


def test_a_robots_verdict_is_read_though_the_connection_stays_open() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"

    def said(answer: bytes) -> tuple[Result, float]:
        with answering(lambda peer, over: drip(peer, over, head + answer, b"")) as port:
            return call(port, format="wecom")

    assert said(b'{"errcode": 0}')[0].delivered
    assert said(b'{"errcode": 45009}')[0].error.startswith("errcode 45009")
    silent, took = said(b"")
    assert (silent.delivered, took < DEADLINE_S + BUSY_S) == (False, True)
