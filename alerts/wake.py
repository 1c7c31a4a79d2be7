"""Wake the delivery and the screens when the transaction at hand is done."""

from psycopg import Connection

CHANNEL = "outbox"
LIVE_CHANNEL = "alerts_changed"


def wake_screens(conn: Connection) -> None:
    """Let the screens that are open read their lists again."""
    conn.execute(f"NOTIFY {LIVE_CHANNEL}".encode())


def wake_delivery(conn: Connection) -> None:
    """Let the delivery look at its queues, and the screens at their lists."""
    conn.execute(f"NOTIFY {CHANNEL}".encode())
    wake_screens(conn)
