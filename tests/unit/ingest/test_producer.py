"""The frame producer's words for a broker that is not whole yet."""

from typing import Any

import pyarrow as pa
import pytest

from catalog.errors import TransientError
from catalog.registry import stream
from ingest import producer as module
from ingest.producer import MAX_OF_ONE, FrameProducer, cut
from service.settings import Settings
from tests.support.frames import START, noise_batch


class Restarting:
    """The client while the broker restarts: its metadata lacks the partition."""

    def send(self, *_: Any, **__: Any) -> None:
        raise ValueError("Unrecognized partition 1 for topic x")


def test_a_partition_not_known_yet_means_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "producer", lambda *_, **__: Restarting())
    frames = FrameProducer(Settings(), "test")
    with pytest.raises(TransientError, match="Unrecognized partition"):
        frames.send(stream("noise"), noise_batch([("n-1", 0, 50.0)]), START)


def test_many_readings_of_one_sensor_are_many_frames_and_of_many_sensors_one() -> None:
    one = noise_batch([("n-1", i, 50.0) for i in range(2 * MAX_OF_ONE + 1)])
    pieces = cut(one)
    assert [p.num_rows for p in pieces] == [MAX_OF_ONE, MAX_OF_ONE, 1]
    assert pa.Table.from_batches(pieces) == pa.Table.from_batches([one])
    many = noise_batch([(f"n-{i}", 0, 50.0) for i in range(2 * MAX_OF_ONE + 1)])
    assert cut(many) == [many]
