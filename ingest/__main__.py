"""``python -m ingest``: the gateway."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import typer
import uvicorn

from catalog.registry import streams
from catalog.topics import all_topics
from ingest.gateway import Gateway, IngestSettings, build_app
from ingest.guard import Guard
from ingest.producer import FrameProducer
from service.clock import SystemClock
from service.kafka import ensure_topics
from service.process import run_process
from service.vitals import Vitals

app = typer.Typer(no_args_is_help=True, help="The way in for readings.")


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


@app.callback()
def main() -> None:
    """The way in for readings."""


@app.command("gateway")
def gateway_command() -> None:
    """Serve the HTTP gateway on CITYOPS_GATEWAY until SIGTERM."""
    settings = IngestSettings()
    sys.exit(run_process("gateway", settings, lambda v, stop: _serve(settings, v, stop)))


def _serve(settings: IngestSettings, vitals: Vitals, stop: threading.Event) -> None:
    ensure_topics(settings.kafka, all_topics(settings.topic_prefix, tuple(streams())))
    guard = Guard(settings.database())
    threading.Thread(target=guard.keep_fresh, args=(stop,), name="guard", daemon=True).start()
    producer = FrameProducer(settings, "gateway")
    app = build_app(Gateway(settings, guard, producer, vitals, SystemClock()), vitals)
    address = urlsplit(settings.gateway)
    config = uvicorn.Config(
        app,
        host=address.hostname or "127.0.0.1",
        port=address.port or 8600,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
    server = Server(config, vitals)
    threading.Thread(target=_stop_with, args=(server, stop), name="stopper", daemon=True).start()
    server.run()
    stop.set()
    producer.close()


def _stop_with(server: uvicorn.Server, stop: threading.Event) -> None:
    stop.wait()
    server.should_exit = True


if __name__ == "__main__":
    app()
