"""Serve an ASGI application inside ``run_process``: its signals, its vital signs, its deadline."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from catalog.errors import FatalError
from service.doors import Certificate, Doors, address_of, sends_to
from service.vitals import Vitals

SHUTDOWN_S = 5
WS_MAX_BYTES = 2**20
TURN_S = 1.0
HANDSHAKE_S = 10.0
RENEW_S = 60.0
"""So often the certificate's files are looked at."""


class Protocol(HttpToolsProtocol):
    """HTTP that hangs up when a request's head is late, and answers who has ended sending.

    uvicorn waits for ever: a few thousand silent connections would take every file handle. It also
    takes a closed sending side for a client that has left, where RFC 9112 (9.6) says that nothing
    more will be sent: small loggers close theirs after the request and wait for the answer.
    """

    head_deadline_s = 10.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of this head."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Wait no longer: the body is the application's."""
        self._forget()
        super().on_headers_complete()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the way back open while a request that is whole has no answer yet."""
        whole = self.cycle is not None and not self.cycle.more_body
        if self.scheme == "https":  # TLS ends both ways at once
            return False
        if not whole or self.cycle.response_complete:
            return False
        self.cycle.keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._forget()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._forget()
        self._late = self.loop.call_later(self.head_deadline_s, self.transport.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()


class Server(uvicorn.Server):
    """A server that says it is ready once its port is open, and leaves signals to the process."""

    def __init__(self, config: uvicorn.Config, doors: Doors, vitals: Vitals) -> None:
        super().__init__(config)
        self._doors = doors
        self._vitals = vitals
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open every door, then say so."""
        await super().startup(sockets)
        doors = self._doors
        if doors.certificate:
            await self._open(self.config, doors.secure, doors.certificate)
            self._tasks.append(asyncio.create_task(self._renew(doors.certificate)))
        if doors.redirect:
            await self._open(_config(sends_to(doors.public), doors.redirect), doors.redirect)
        self._vitals.ready()
        self._tasks.append(asyncio.create_task(self._turn()))

    async def _open(
        self, config: uvicorn.Config, url: str, certificate: Certificate | None = None
    ) -> None:
        """Listen at one more address; what is open is closed by uvicorn with its own."""
        if not config.loaded:
            config.load()

        def protocol() -> asyncio.Protocol:
            state, shared = self.lifespan.state, self.server_state
            return Protocol(config=config, server_state=shared, app_state=state)

        host, port = address_of(url)
        tls = (
            {}
            if certificate is None
            else {
                "ssl": certificate.context,
                "ssl_handshake_timeout": HANDSHAKE_S,
                "ssl_shutdown_timeout": HANDSHAKE_S,
            }
        )
        loop = asyncio.get_running_loop()
        try:
            self.servers.append(await loop.create_server(protocol, host, port, **tls))
        except OSError as error:
            raise FatalError(f"{url}: {error}", code="address", stage="starting") from error

    async def _renew(self, certificate: Certificate) -> None:
        while not self.should_exit:
            await asyncio.sleep(RENEW_S)
            certificate.renew()

    async def _turn(self) -> None:
        """Say every second that the event loop turns, for as long as it does."""
        while not self.should_exit:
            self._vitals.loop_turned()
            await asyncio.sleep(TURN_S)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM to ``run_process``, which stops this server."""
        yield


def serve(app: ASGIApp, doors: Doors, vitals: Vitals, stop: threading.Event) -> None:
    """Serve ``app`` at its doors until ``stop``; sets ``stop`` when it ends."""
    server = Server(_config(app, doors.plain), doors, vitals)
    threading.Thread(target=_stop_with, args=(server, stop), name="stopper", daemon=True).start()
    server.run()
    stop.set()


def _config(app: ASGIApp, url: str) -> uvicorn.Config:
    host, port = address_of(url)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        http=Protocol,
        ws_max_size=WS_MAX_BYTES,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


def _stop_with(server: uvicorn.Server, stop: threading.Event) -> None:
    stop.wait()
    server.should_exit = True


def add_health(app: FastAPI, vitals: Vitals, *, include_in_schema: bool = True) -> None:
    """Serve the process's health on the application's own port as well: 200, or 503 and why."""

    @app.get("/health", include_in_schema=include_in_schema)
    def health() -> JSONResponse:
        state = vitals.health()
        return JSONResponse(
            {"healthy": state.healthy, "reason": state.reason}, 200 if state.healthy else 503
        )
