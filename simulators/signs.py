"""Simulated variable message signs: they show, blank themselves, fail, and lose their power.

Spoken to over HTTP as ``records/plans/devices.py`` says. A sign without power does not answer; when
it comes back it is blank, as it should be: what it was told before the outage may be over. The key
that it heard last outlives that.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from catalog.plan.device import Device, devices

KIND = "sign"
PREFIX = "/signs/"
MOST_BYTES = 64 * 1024
Monotonic = Callable[[], float]


@dataclass
class Sign:
    """One sign. ``now`` gives seconds of any clock that does not go back."""

    device: Device
    now: Monotonic
    powered: bool = True
    failed: bool = False
    last_key: str = ""
    heard: list[str] = field(default_factory=list[str])
    """Keys of commands as they came, the same again included: the truth of what was on the wire."""
    _key: str = ""
    _pages: list[list[str]] = field(default_factory=list[list[str]])
    _until: float = 0.0

    def show(self, key: str, pages: list[list[str]], ttl_s: float) -> None:
        """Show pages for ``ttl_s``; the key that was heard last changes nothing.

        ``ValueError`` for what the sign does not take.
        """
        self.heard.append(key)
        screen = self.device.screen
        fits = 0 < len(pages) <= screen.pages and all(0 < len(p) <= screen.lines for p in pages)
        if not fits or ttl_s <= 0 or not key:
            raise ValueError("no key, no time, or it does not fit")
        if key == self.last_key:
            return
        self.last_key = self._key = key
        self._pages, self._until = pages, self.now() + ttl_s

    def blank(self, key: str) -> bool:
        """Blank what was shown under this key; False when something else is shown."""
        if key and self.showing() is not None and self._key != key:
            return False
        self._key, self._pages = "", []
        return True

    def showing(self) -> dict[str, Any] | None:
        """Return key and pages; None when it is blank."""
        if not self._key or self.now() >= self._until:
            return None
        return {"key": self._key, "pages": self._pages}

    def power(self, on: bool) -> None:
        """Cut the power, or bring it back: then it is blank."""
        if on != self.powered:
            self._key, self._pages = "", []
        self.powered = on

    def state(self) -> dict[str, Any]:
        """Return what it says of itself."""
        status = "failed" if self.failed else "ok"
        return {"status": status, "showing": self.showing(), "last_key": self.last_key}


class Signs:
    """All signs of the city, to be served and to be struck."""

    def __init__(self, now: Monotonic) -> None:
        self.by_id = {id: Sign(device, now) for id, device in devices().get(KIND, {}).items()}
        self.lock = threading.Lock()
        self.before_answer: Callable[[str, str], None] = lambda method, id: None
        """Called with method and sign once a command is taken, before it is answered."""

    def without_power(self, feeders: Iterable[str]) -> None:
        """Let the signs that hang on these feeders be dark, and all others have power."""
        dark = set(feeders)
        with self.lock:
            for sign in self.by_id.values():
                sign.power(sign.device.parent not in dark)

    def serve(self, port: int = 0) -> tuple[str, Callable[[], None]]:
        """Serve on loopback in a thread; return the address of ``{id}`` and what stops it."""
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="signs", daemon=True).start()

        def stop() -> None:
            server.shutdown()
            server.server_close()

        return f"http://127.0.0.1:{server.server_port}{PREFIX}{{id}}", stop


def _handler(signs: Signs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            self._with(lambda sign: (200, sign.state()))

        def do_PUT(self) -> None:
            self._with(self._show)

        def do_DELETE(self) -> None:
            key = self.headers.get("If-Match", "")
            self._with(lambda sign: (200 if sign.blank(key) else 412, sign.state()))

        def _show(self, sign: Sign) -> tuple[int, Mapping[str, Any]]:
            try:
                length = min(int(self.headers.get("Content-Length", "0")), MOST_BYTES)
                said = json.loads(self.rfile.read(length))
                key = self.headers.get("Idempotency-Key", "")
                sign.show(key, said["pages"], float(said["ttl_s"]))
            except (ValueError, KeyError, TypeError) as error:
                return 422, {"detail": str(error)}
            return 200, sign.state()

        def _with(self, work: Callable[[Sign], tuple[int, Mapping[str, Any]]]) -> None:
            id = self.path.removeprefix(PREFIX).removesuffix("/message")
            sign = signs.by_id.get(id)
            if sign is None:
                self._answer(404, {"detail": "no such sign"})
                return
            with signs.lock:
                if not sign.powered:
                    self.close_connection = True
                    return
                status, said = work(sign)
            signs.before_answer(self.command, id)
            self._answer(status, said)

        def _answer(self, status: int, said: Mapping[str, Any]) -> None:
            body = json.dumps(said, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: signs are read back every few seconds."""

    return Handler
