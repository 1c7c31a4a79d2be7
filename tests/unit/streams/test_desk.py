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
from catalog.overrides import OVERRIDE_TYPE, Override
from catalog.registry import spokesman, stream
from catalog.ticks import encode_tick, tick_headers
from catalog.topics import PARTITIONS, readings_topic, shard_of
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


def test_what_people_set_is_put_into_the_log_of_its_sensor_until_it_is_known_there() -> None:
    desk, sensor = Desk("t"), "n-1"
    places = {(readings_topic("t", "noise"), partition): 0 for partition in range(PARTITIONS)}
    desk.lay_out(places, {})
    given = Override(revision=1, sensor=sensor, metric="leq_db", span=(20.0, 120.0))
    for _ in range(2):
        desk.tell_overrides([("noise", given), ("weather", given)])
    place, message = (readings_topic("t", "noise"), shard_of(sensor)), desk.outbox[0]
    assert [(m.topic, m.partition, m.kind) for m in desk.outbox] == [(*place, OVERRIDE_TYPE)] * 2
    desk.outbox.clear()
    headers = [("ce_type", OVERRIDE_TYPE.encode())]
    desk.handle(place, 0, message.value, headers, START)
    assert list(desk.checkpoints(30)) == [place]
    desk.tell_overrides([("noise", given)])
    assert desk.outbox == []
    taken_back = Override(revision=2, sensor=sensor, metric="leq_db")
    desk.tell_overrides([("noise", taken_back)])
    assert len(desk.outbox) == 1


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
