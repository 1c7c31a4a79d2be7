"""Who may write, and which sensors are known: read from the database, kept in memory."""

import threading

import psycopg

from catalog.sensors import sensors
from ingest.day_keys import DayKeys
from service.api_keys import ApiKey, KeyRing
from service.log import logger
from service.postgres import connect, now_of

REFRESH_S = 3.0


class Guard:
    """Keys and registered sensors, refreshed every few seconds by a thread.

    While the database is away the last known ones stay in force.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._ring = KeyRing()
        self._registered = frozenset((s.stream, s.id) for s in sensors())
        self.day_keys = DayKeys()
        self.loaded = False

    def find(self, token: str) -> ApiKey | None:
        """Return the key of this token, or None."""
        return self._ring.find(token)

    def is_registered(self, stream: str, sensor: str) -> bool:
        """Tell whether the sensor is in the catalog or was registered by hand."""
        return (stream, sensor) in self._registered

    def refresh(self) -> None:
        """Read keys and sensors once; psycopg errors go to the caller."""
        with connect(self._dsn, "gateway", autocommit=True) as conn:
            self._ring.refresh(conn)
            self.day_keys.refresh(conn, now_of(conn))
            rows = conn.execute("SELECT stream, sensor FROM sensors WHERE status = 'registered'")
            self._registered = frozenset((stream, sensor) for stream, sensor in rows)
        self.loaded = True

    def keep_fresh(self, stop: threading.Event) -> None:
        """Refresh until ``stop``; runs in a thread."""
        while not stop.wait(REFRESH_S if self.loaded else 0.3):
            try:
                self.refresh()
            except psycopg.Error as error:
                logger().warning("keys not refreshed, the last ones stay", reason=str(error)[:200])
