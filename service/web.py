"""Serve an ASGI application inside ``run_process``: its signals, its vital signs, its deadline."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from service.vitals import Vitals

SHUTDOWN_S = 5


class Server(uvicorn.Server):
    """A server that says it is ready once its port is open, and leaves signals to the process."""

    def __init__(self, config: uvicorn.Config, vitals: Vitals) -> None:
        super().__init__(config)
        self._vitals = vitals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, then say so."""
        await super().startup(sockets)
        self._vitals.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM to ``run_process``, which stops this server."""
        yield


def serve(app: ASGIApp, url: str, vitals: Vitals, stop: threading.Event) -> None:
    """Serve ``app`` at ``url`` (http://host:port) until ``stop``; sets ``stop`` when it ends."""
    address = urlsplit(url)
    config = uvicorn.Config(
        app,
        host=address.hostname or "127.0.0.1",
        port=address.port or 80,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = Server(config, vitals)
    threading.Thread(target=_stop_with, args=(server, stop), name="stopper", daemon=True).start()
    server.run()
    stop.set()


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
