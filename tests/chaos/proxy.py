"""A TCP proxy before the database that can lose the reply to a commit."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

COMMIT = b"COMMIT"


@dataclass
class Proxy:
    """Passes bytes on both ways. Armed, it lets one COMMIT through and cuts before its reply."""

    host: str
    target: int
    lost: int = 0
    _armed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._server = socket.create_server((self.host, 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def lose_replies(self, count: int) -> None:
        """Lose the reply of the next ``count`` commits."""
        with self._lock:
            self._armed += count

    def close(self) -> None:
        """Stop taking connections."""
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
            down = threading.Thread(target=self._pump, args=(server, client, False, cut))
            down.start()
            self._pump(client, server, True, cut)
            down.join()

    def _pump(
        self, one: socket.socket, other: socket.socket, upward: bool, cut: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if upward and COMMIT in data and self._take():
                    cut.set()  # the reply will not pass
                if not upward and cut.is_set():
                    break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _take(self) -> bool:
        with self._lock:
            if not self._armed:
                return False
            self._armed -= 1
            self.lost += 1
            return True
