"""Kafka to TimescaleDB: readings, aggregates, flags and dead letters become rows."""

import threading
from collections.abc import Callable
from datetime import datetime

import pyarrow.compute as pc
from kafka.consumer.fetcher import ConsumerRecord
from prometheus_client import Counter
from psycopg import Connection
from pydantic import Field

from service.metrics import sizes
from service.settings import Settings
from service.vitals import Vitals
from storage.batch import Batch, Topics, collect, refused
from storage.exact import ExactConsumer, Stored
from storage.refused import write_what_goes
from storage.write import Written, write

NAME = "sink"
GATHER_BYTES = 512 * 1024
"""So much has gathered early enough: a backlog is not waited for."""

STORED = Counter("cityops_sink_rows", "Readings stored")
DUPLICATES = Counter("cityops_sink_duplicates", "Readings that were stored before, same body")
CONFLICTS = Counter("cityops_sink_conflicts", "Readings whose key is stored with another body")
LETTERS = Counter("cityops_sink_dead_letters", "Dead letters", ["code"])
FRAMES = Counter("cityops_sink_frames", "Frames of readings stored")
BATCH = sizes("cityops_sink_batch_readings", "Readings of one transaction that has any")
WINDOWS = Counter("cityops_sink_windows", "One-minute windows written, corrections included")
CORRECTIONS = Counter("cityops_sink_corrections", "Windows that corrected an earlier revision")
FLAGS = Counter("cityops_sink_flags", "Quality flags stored")


class SinkSettings(Settings):
    """Settings of the sink."""

    gather_ms: int = Field(
        default=50,
        ge=0,
        description="How long records gather at the broker before they are stored, in one"
        " transaction: it costs about the same for one reading as for many",
    )

    def fetching(self) -> dict[str, int]:
        """Return how the sink's consumer asks the broker; 0 ms = for what there is."""
        if not self.gather_ms:
            return {}
        return {"fetch_min_bytes": GATHER_BYTES, "fetch_max_wait_ms": self.gather_ms}


class Sink:
    """Stores what its topics carry; ``tell`` hears how many windows were corrected."""

    def __init__(self, prefix: str, tell: Callable[[int], None] = lambda _: None) -> None:
        self.topics = Topics.of(prefix)
        self._known: dict[str, set[str]] = {}
        self._tell, self._corrected = tell, 0

    def prepare(self, records: list[ConsumerRecord]) -> Batch:
        """Decode records of any of the topics."""
        return collect(self.topics, records)

    def store(self, conn: Connection, batch: Batch) -> Stored:
        """Store a batch."""
        written = write(conn, batch, self._known)
        return Stored(written.rows, _newest(batch), lambda: self._committed(written))

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        """Keep what the database refuses as dead letters: single readings, else the bytes."""
        batch, whole = collect(self.topics, [record]), refused(self.topics, record, reason)
        written = (
            write_what_goes(conn, batch, whole.letters[0]) if batch.readings else write(conn, whole)
        )
        return Stored(written.rows, None, lambda: self._committed(written))

    def _committed(self, written: Written) -> None:
        for stream, sensors in written.sensors.items():
            self._known.setdefault(stream, set()).update(sensors)
        _count(written)
        self._corrected += written.corrections
        self._tell(self._corrected)


def run_sink(settings: SinkSettings, vitals: Vitals, stop: threading.Event) -> None:
    """Run one sink until ``stop``."""
    sink = Sink(settings.topic_prefix, lambda count: vitals.detail(windows_corrected=count))
    topics, fetching = sink.topics.all(), settings.fetching()
    ExactConsumer(NAME, topics, sink, settings, vitals, **fetching).run(stop)


def _count(written: Written) -> None:
    STORED.inc(written.rows)
    FRAMES.inc(written.frames)
    if handled := written.rows + written.duplicates + written.conflicts:
        BATCH.observe(handled)
    WINDOWS.inc(written.windows)
    CORRECTIONS.inc(written.corrections)
    FLAGS.inc(written.flags)
    DUPLICATES.inc(written.duplicates)
    CONFLICTS.inc(written.conflicts)
    for code, count in written.codes.items():
        LETTERS.labels(code).inc(count)


def _newest(batch: Batch) -> datetime | None:
    times = [pc.max(rows.column("observed_at")).as_py() for rows in batch.readings.values()]
    return max(filter(None, times), default=None)
