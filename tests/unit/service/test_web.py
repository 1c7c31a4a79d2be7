"""The HTTP server hangs up on who does not say what they want, and answers who has said it all."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from service.web import Protocol
from tests.support.loops import run_async


class Hasty(Protocol):
    head_deadline_s = 0.05


async def ok(scope: object, receive: object, send: object) -> None:
    raise AssertionError("no request came")


async def slow(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body's length after a while."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": b"took %d" % length})


async def heard(sent: bytes, app: Any = ok, *, end: bool = False) -> bytes:
    config = uvicorn.Config(app, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Hasty(config, ServerState(), {}, loop), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(sent)
        if end:
            writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


def test_a_silent_client_and_half_a_head_are_hung_up_on() -> None:
    assert run_async(lambda: heard(b"")) == b""
    assert run_async(lambda: heard(b"POST / HTTP/1.1\r\nHost: x\r\n")) == b""


REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


def test_a_client_that_ends_sending_gets_its_answer() -> None:
    answer = run_async(lambda: heard(REQUEST + b"12345", slow, end=True))
    assert answer.startswith(b"HTTP/1.1 202")
    assert b"took 5" in answer
    assert b"connection: close" in answer


def test_each_of_several_requests_before_the_end_gets_its_answer() -> None:
    answer = run_async(lambda: heard((REQUEST + b"12345") * 3, slow, end=True))
    assert answer.count(b"took 5") == 3


@pytest.mark.parametrize("sent", [b"", b"POST / HT", REQUEST + b"123"])
def test_a_request_that_ends_half_way_is_hung_up_on(sent: bytes) -> None:
    assert run_async(lambda: heard(sent, slow, end=True)) == b""
