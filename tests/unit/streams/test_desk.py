"""What the worker's desk hands to Kafka."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from catalog.contracts import AGGREGATES_TYPE, aggregates_schema, decode_batch
from catalog.frames import encode, frame_headers, readings_schema
from catalog.registry import stream
from catalog.topics import readings_topic
from streams.desk import Desk

BROKER_TAKES = 1_000_000
START = datetime(2015, 11, 1, tzinfo=UTC)


def test_the_windows_of_a_long_frame_are_cut_to_what_the_broker_takes() -> None:
    weather, count = stream("weather"), 2160
    columns = {name: [5.0 + n % 7 for n in range(count)] for name in weather.metric_names}
    times = [START + timedelta(hours=n) for n in range(count)]
    frame = pa.RecordBatch.from_pydict(
        {"sensor": ["w-1"] * count, "observed_at": times, **columns},
        schema=readings_schema(weather),
    )
    desk, place = Desk("t"), (readings_topic("t", "weather"), 0)
    desk.lay_out({place: 0}, {})
    desk.handle(place, 0, encode(frame), frame_headers(weather, "test", START), START)
    sent = [m.value for m in desk.outbox if m.kind == AGGREGATES_TYPE]
    assert max(map(len, sent)) < BROKER_TAKES
    schema = aggregates_schema(weather)
    windows = [t for value in sent for t in decode_batch(value, schema)["window_start"].to_pylist()]
    assert sorted(windows) == times[:-1]  # the last one is still open
