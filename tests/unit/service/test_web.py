"""The HTTP server hangs up on who does not say what they want."""

import asyncio

import uvicorn
from uvicorn.server import ServerState

from service.web import Protocol
from tests.loops import run_async


class Hasty(Protocol):
    head_deadline_s = 0.05


async def ok(scope: object, receive: object, send: object) -> None:
    raise AssertionError("no request came")


async def heard(sent: bytes) -> bytes:
    config = uvicorn.Config(ok, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Hasty(config, ServerState(), {}, loop), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(sent)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


def test_a_silent_client_and_half_a_head_are_hung_up_on() -> None:
    assert run_async(lambda: heard(b"")) == b""
    assert run_async(lambda: heard(b"POST / HTTP/1.1\r\nHost: x\r\n")) == b""
