"""A connection to the database never waits for ever."""

import socket
import threading

import psycopg
import pytest

from service.postgres import BoundedConnection, allow


def silent_after_start(server: socket.socket) -> None:
    """Play a database that takes a session, then says nothing more and closes nothing."""
    peer, _ = server.accept()
    with peer:
        peer.recv(4096)
        # authentication ok, ready for query
        peer.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"Z\x00\x00\x00\x05I")
        while peer.recv(4096):
            pass


def test_an_answer_that_never_comes_is_given_up_and_the_connection_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BoundedConnection, "deadline_s", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = threading.Thread(target=silent_after_start, args=(server,), daemon=True)
        peer.start()
        address = f"host=127.0.0.1 port={server.getsockname()[1]} user=u dbname=d sslmode=disable"
        conn = BoundedConnection.connect(address + " gssencmode=disable", autocommit=True)
        with pytest.raises(psycopg.OperationalError, match="no answer from the database within"):
            conn.execute("SELECT 1")
        assert conn.closed
        peer.join(5)
        assert not peer.is_alive(), "the socket was closed"


def test_a_longer_statement_has_a_longer_deadline(dsn: str) -> None:
    with BoundedConnection.connect(dsn, autocommit=True) as conn:
        allow(conn, 120)
        assert conn.execute("SHOW statement_timeout").fetchone() == ("2min",)
        assert conn.deadline_s == 125
