"""The vital signs of a process over HTTP, on loopback: ``/health`` and ``/metrics``.

A process may have a page more there: a function of the query, its answer is CSV.
"""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import msgspec
from prometheus_client import REGISTRY, generate_latest

from service.metrics import vitals_registry
from service.vitals import Vitals

Pages = Mapping[str, Callable[[str], str]]
"""Path → what answers a query with CSV; ``ValueError`` for a query that makes no sense."""


def serve_vitals(vitals: Vitals, port: int, pages: Pages | None = None) -> Callable[[], None]:
    """Serve ``/health`` and ``/metrics`` on loopback in a thread; return what stops it.

    Port 0 serves nothing.
    """
    if not port:
        return lambda: None
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(vitals, pages or {}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="vitals", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


def _handler(vitals: Vitals, pages: Pages) -> type[BaseHTTPRequestHandler]:
    own = vitals_registry(vitals)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                health = vitals.health()
                self._answer(200 if health.healthy else 503, msgspec.json.encode(health), "json")
            elif self.path == "/metrics":
                self._answer(200, generate_latest(REGISTRY) + generate_latest(own), "plain")
            elif page := pages.get(urlsplit(self.path).path):
                self._page(page)
            else:
                self._answer(404, b"only /health and /metrics", "plain")

        def _page(self, page: Callable[[str], str]) -> None:
            try:
                said = page(urlsplit(self.path).query)
            except ValueError as error:
                self._answer(400, str(error).encode(), "plain")
            else:
                self._answer(200, said.encode(), "csv")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            main = "application" if kind == "json" else "text"
            self.send_header("Content-Type", f"{main}/{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the status table asks twice a second."""

    return Handler
