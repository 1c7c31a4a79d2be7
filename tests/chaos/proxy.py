"""A TCP proxy before the database: it loses replies to commits, holds bytes back, slows, cuts."""

import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

COMMIT = b"COMMIT"
PIECE = 65536


@dataclass
class Proxy:
    """Passes bytes on both ways, as long as nothing else is asked of it.

    Armed, it lets one COMMIT through and cuts before its reply. Slowed, each piece waits
    ``latency_s`` (give or take half) and passes at ``bytes_per_s``. Blocked, connections stay
    open, new ones are taken, and nothing passes.
    """

    host: str
    target: int
    lost: int = 0
    cuts: int = 0
    latency_s: float = 0.0
    bytes_per_s: float = 0.0
    _armed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: threading.Event = field(default_factory=threading.Event)
    _pairs: set[tuple[socket.socket, socket.socket]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._open.set()
        self._server = socket.create_server((self.host, 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def lose_replies(self, count: int) -> None:
        """Lose the reply of the next ``count`` commits."""
        with self._lock:
            self._armed += count

    def slow(self, latency_s: float, bytes_per_s: float) -> None:
        """Slow every connection; zeros end it."""
        self.latency_s, self.bytes_per_s = latency_s, bytes_per_s

    def block(self) -> None:
        """Let nothing pass, and close nothing."""
        self._open.clear()

    def unblock(self) -> None:
        """Let what waits pass."""
        self._open.set()

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self.cuts += 1
            _shut(pair)

    def close(self) -> None:
        """Stop taking connections."""
        self._open.set()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    server = socket.create_connection((self.host, self.target), timeout=5.0)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                work = (client, server)
                threading.Thread(target=self._connection, args=work, daemon=True).start()

    def _connection(self, client: socket.socket, server: socket.socket) -> None:
        cut = threading.Event()
        with client, server:
            with self._lock:
                self._pairs.add((client, server))
            given = (server, client, False, cut)
            down = threading.Thread(target=self._pump, args=given, daemon=True)
            down.start()
            self._pump(client, server, True, cut)
            down.join()
            with self._lock:
                self._pairs.discard((client, server))

    def _pump(
        self, one: socket.socket, other: socket.socket, upward: bool, cut: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := one.recv(PIECE):
                if upward and COMMIT in data and self._take():
                    cut.set()  # the reply will not pass
                if not upward and cut.is_set():
                    break
                self._wait(len(data))
                other.sendall(data)
        _shut((one, other))

    def _wait(self, size: int) -> None:
        self._open.wait()
        if self.latency_s:
            time.sleep(self.latency_s * random.uniform(0.5, 1.5))
        if self.bytes_per_s:
            time.sleep(size / self.bytes_per_s)

    def _take(self) -> bool:
        with self._lock:
            if not self._armed:
                return False
            self._armed -= 1
            self.lost += 1
            return True


def _shut(ends: tuple[socket.socket, socket.socket]) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
