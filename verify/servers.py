"""Own servers of a test or a chaos run: real ones, on free ports, stopped by pid."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.native import servers
from deploy.native.kafka import BRIEF
from deploy.process import Child


@contextmanager
def native_folder() -> Iterator[Path]:
    """Give a folder that the database's user may enter, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cityops-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class OwnServers:
    """Hold servers of one test alone, which it may kill and start again on the same ports."""

    folder: Path
    kafka: str = ""
    dsn: str = ""
    broker: Child | None = None
    database: Child | None = None

    def start_broker(self) -> str:
        """Start Kafka, with the data and port it had before; return its bootstrap address."""
        self.kafka, self.broker = servers.start_broker(self.folder / "kafka", BRIEF)
        return self.kafka

    def start_database(self) -> str:
        """Start TimescaleDB, with the data and port it had before; return the superuser's DSN."""
        self.dsn, self.database = servers.start_database(self.folder / "postgres")
        return self.dsn

    def stop(self) -> None:
        """Stop whatever still runs."""
        if self.broker is not None:
            self.broker.stop(signal.SIGTERM, 10.0)
        if self.database is not None:
            self.database.stop(signal.SIGINT, 10.0)


def outer_environment() -> dict[str, str]:
    """Return our environment without the platform's own variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CITYOPS_")}
