"""What the worker's desk hands to Kafka."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from catalog.contracts import (
    AGGREGATES_TYPE,
    TRANSITION_TYPE,
    aggregates_schema,
    decode_batch,
    decode_transition,
)
from catalog.frames import encode, frame_headers, readings_schema
from catalog.model import Stream
from catalog.registry import spokesman, stream
from catalog.ticks import encode_tick, tick_headers
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
    headers = frame_headers(weather, "test", times[-1])
    desk.handle(place, 0, encode(frame), headers, START)
    sent = [m.value for m in desk.outbox if m.kind == AGGREGATES_TYPE]
    assert max(map(len, sent)) < BROKER_TAKES
    schema = aggregates_schema(weather)
    windows = [t for value in sent for t in decode_batch(value, schema)["window_start"].to_pylist()]
    assert sorted(windows) == times[:-1]  # the last one is still open


def one_frame(declared: Stream) -> bytes:
    values = {name: [None] for name in declared.metric_names}
    columns = {"sensor": ["x-1"], "observed_at": [START], **values}
    return encode(pa.RecordBatch.from_pydict(columns, schema=readings_schema(declared)))


def test_the_ticks_of_a_worker_tell_how_long_it_has_heard_nothing_of_any_stream() -> None:
    """A frame of noise, then nothing: red after 120 ticks, until a frame of weather comes."""
    desk = Desk("t")
    first = (readings_topic("t", spokesman()), 0)
    desk.lay_out({first: 0} | {(readings_topic("t", n), 1): 0 for n in ("noise", "weather")}, {})
    told: list[tuple[int, str, str]] = []

    def frame(name: str, offset: int) -> None:
        declared = stream(name)
        headers = frame_headers(declared, "test", START)
        desk.handle((readings_topic("t", name), 1), offset, one_frame(declared), headers, START)

    def ticks(start: int, end: int) -> None:
        for n in range(start, end):
            value = encode_tick(1_700_000_000 + n, desk.pulse.beat())
            desk.handle(first, n, value, tick_headers(), START)
            sent = [decode_transition(m.value) for m in desk.outbox if m.kind == TRANSITION_TYPE]
            told.extend((n, t.rule, t.kind) for t in sent)
            desk.outbox.clear()

    ticks(0, 200)  # nothing was ever heard: nothing is missing
    frame("noise", 0)
    ticks(200, 400)
    frame("weather", 0)
    ticks(400, 402)
    assert told == [(320, "platform.silent", "raised"), (400, "platform.silent", "cleared")]
