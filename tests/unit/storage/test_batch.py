"""Records become a batch: readings in the order of the key, what is bad a dead letter."""

from types import SimpleNamespace
from typing import Any

import pytest

from catalog.frames import encode, frame_headers
from catalog.registry import stream
from catalog.topics import readings_topic
from storage.batch import Batch, Topics, collect
from tests.support.frames import START, noise_batch

Rows = list[tuple[str, float, float]]
NAN = float("nan")


def collected(*frames: Rows) -> Batch:
    headers = frame_headers(stream("noise"), "test", START)
    place = {"topic": readings_topic("t", "noise"), "partition": 0, "headers": headers}
    records: list[Any] = [
        SimpleNamespace(**place, offset=offset, value=encode(noise_batch(rows)))
        for offset, rows in enumerate(frames)
    ]
    return collect(Topics.of("t"), records)


def test_readings_stand_sensor_after_sensor_and_of_each_in_the_order_of_the_log() -> None:
    batch = collected([("b", 9, 1.0), ("a", 0, 2.0)], [("b", 3, 3.0), ("b", 9, 4.0), ("a", 5, 5.0)])
    rows = batch.readings["noise"]
    assert rows.column("sensor").to_pylist() == ["a", "a", "b", "b", "b"]
    assert rows.column("leq_db").to_pylist() == [2.0, 5.0, 1.0, 3.0, 4.0]
    assert (batch.frames, batch.letters) == (2, [])


@pytest.mark.parametrize("beside", [[], [("b", 1, 1.0), ("a", 2, 2.0)]])
def test_a_bad_reading_is_a_letter_with_its_place_and_the_others_stay(beside: Rows) -> None:
    batch = collected(beside, [*beside, ("c", 0, NAN)])
    assert [x.letter.id for x in batch.letters] == [f"t.readings.noise.v1/0/1/{len(beside)}"]
    stored = batch.readings["noise"].column("leq_db").to_pylist() if batch.readings else []
    assert stored == [value for value in (2.0, 1.0) for _ in range(2) if beside]
