"""A TCP proxy before a server: loses replies to commits, holds bytes back, slows, slices, cuts."""

import queue
import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

COMMIT = b"COMMIT"
PIECE = 65536
WAITING_PIECES = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """How bytes pass: after ``latency_s`` give or take ``jitter_s``, at ``bytes_per_s``, and in
    pieces of ``slice_bytes``; zeros ask for nothing."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    slice_bytes: int = 0


@dataclass(eq=False, slots=True)
class Link:
    """One connection of a client, and ours to the server."""

    client: socket.socket
    server: socket.socket
    lost: threading.Event = field(default_factory=threading.Event)
    """No more replies pass: the one to a commit was lost."""
    dead: threading.Event = field(default_factory=threading.Event)
    """Nothing passes any more, and nobody is told."""

    def shut(self) -> None:
        """Cut both connections."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Proxy:
    """Passes bytes on both ways, as long as nothing else is asked of it.

    Armed, it lets one COMMIT through and cuts before its reply. Paced, bytes come late, slowly, or
    in small pieces. Blocked, connections stay open, new ones are taken, and what is sent is gone;
    those of that time stay dead, as behind a router that has forgotten them, until a client closes
    its own.
    """

    host: str
    target: int
    lost: int = 0
    cuts: int = 0
    pace: Pace = field(default_factory=Pace)
    _armed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _blocked: bool = False
    _links: set[Link] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._server = socket.create_server((self.host, 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def lose_replies(self, count: int) -> None:
        """Lose the reply of the next ``count`` commits."""
        with self._lock:
            self._armed += count

    def block(self) -> set[Link]:
        """Let nothing pass, and close nothing; return the connections there were."""
        with self._lock:
            self._blocked = True
            for link in self._links:
                link.dead.set()
            return set(self._links)

    def unblock(self) -> None:
        """Let new connections live again."""
        with self._lock:
            self._blocked = False

    def open_of(self, links: set[Link]) -> int:
        """Return how many of these connections their clients have not closed."""
        with self._lock:
            return len(self._links & links)

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            links = list(self._links)
        for link in links:
            self.cuts += 1
            link.shut()

    def close(self) -> None:
        """Stop taking connections, and cut those there are."""
        self._server.close()
        self.cut()

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
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                work = (Link(client, server),)
                threading.Thread(target=self._pass, args=work, daemon=True).start()

    def _pass(self, link: Link) -> None:
        with link.client, link.server:
            with self._lock:
                self._links.add(link)
                if self._blocked:
                    link.dead.set()
            down = threading.Thread(target=self._pump, args=(link, False), daemon=True)
            down.start()
            self._pump(link, True)
            down.join()
            with self._lock:
                self._links.discard(link)

    def _pump(self, link: Link, upward: bool) -> None:
        """Read from one end; another thread writes to the other, so that latency is no pace."""
        one, other = (link.client, link.server) if upward else (link.server, link.client)
        pieces: queue.Queue[tuple[float, bytes]] = queue.Queue(WAITING_PIECES)
        writer = threading.Thread(target=self._write, args=(link, other, pieces), daemon=True)
        writer.start()
        with suppress(OSError):
            while data := one.recv(PIECE):
                if upward and COMMIT in data and self._take():
                    link.lost.set()
                if not upward and link.lost.is_set():
                    break
                pieces.put((time.monotonic() + self._latency(), data))
        pieces.put((0.0, b""))
        writer.join()
        link.shut()

    def _write(
        self, link: Link, to: socket.socket, pieces: "queue.Queue[tuple[float, bytes]]"
    ) -> None:
        while (piece := pieces.get())[1]:
            due, data = piece
            time.sleep(max(0.0, due - time.monotonic()))
            if link.dead.is_set():
                continue
            try:
                self._send(to, data)
            except OSError:
                link.shut()

    def _send(self, to: socket.socket, data: bytes) -> None:
        pace = self.pace
        if pace.bytes_per_s:
            time.sleep(len(data) / pace.bytes_per_s)
        size = pace.slice_bytes or len(data)
        for start in range(0, len(data), size):
            to.sendall(data[start : start + size])

    def _latency(self) -> float:
        pace = self.pace
        return max(0.0, pace.latency_s + random.uniform(-pace.jitter_s, pace.jitter_s))

    def _take(self) -> bool:
        with self._lock:
            if not self._armed:
                return False
            self._armed -= 1
            self.lost += 1
            return True
