"""Whatever arrives: odd numbers, odd bytes, odd times. Nothing raises, nothing good is lost."""

import math
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.frames import (
    EARLIEST,
    LATEST,
    FrameError,
    bad_rows,
    decode,
    encode,
    frame_headers,
    readings_schema,
)
from catalog.registry import stream
from catalog.ticks import TICK_TYPE, Tick, encode_tick, tick_headers
from engine.partition import PartitionEngine
from streams.desk import Bench, Desk
from verify.oracle.compare import compare
from verify.oracle.outputs import flags_of, readings_of, windows_of
from verify.oracle.reference import Reference

RIVER = stream("river_level")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
ODD = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1.7e308, -1.7e308, math.nan, math.inf, -math.inf]
numbers = st.one_of(st.none(), st.sampled_from(ODD), st.floats(), st.floats(0, 1500))
US = 1_000_000
edge_times = [int(t.timestamp()) * US + d for t in (EARLIEST, LATEST) for d in (-1, 0, 1)]
times = st.one_of(
    st.sampled_from([*edge_times, -(2**63), 2**63 - 1, 0]),
    st.integers(int(NOW.timestamp()) * US, int(NOW.timestamp()) * US + 900 * US),
)
names = st.sampled_from(["river-dongzikou", "r-1", "", "a b", "\x00", "河", "x" * 64, "x" * 65])


def river_frame(rows: list[tuple[str, int, float | None, float | None]]) -> pa.RecordBatch:
    schema = readings_schema(RIVER)
    columns = list(zip(*rows, strict=True))
    arrays = [
        pa.array(columns[0], pa.string()),
        pa.array(columns[1], pa.int64()).cast(schema.field(1).type),
        pa.array(columns[2], pa.float64()),
        pa.array(columns[3], pa.float64()),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@given(
    st.lists(st.tuples(names, times, numbers, numbers), min_size=1, max_size=12),
    st.sampled_from([None, int(NOW.timestamp()) * US]),
    st.lists(st.integers(0, 4), min_size=24, max_size=24),
)
@example([("r-1", int(NOW.timestamp()) * US + n, x, None) for n, x in enumerate(ODD)], None, [])
def test_odd_numbers_names_and_times_give_what_the_reference_gives(
    rows: list[tuple[str, int, float | None, float | None]],
    received_at: int | None,
    said: list[int],
) -> None:
    batch = river_frame(rows)
    engine, reference = PartitionEngine(RIVER), Reference(RIVER)
    ends = [Tick(int(NOW.timestamp()) + second) for second in (3600, 3601)]
    flags = np.array(said[: 2 * len(rows)], np.int8).reshape(-1, 2) if said else None
    reference.frame(readings_of(batch, flags), received_at)
    for end in ends:
        reference.tick(end)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = engine.process(batch, NOW, received_at, flags)
        found = [o.aggregates_batch() for o in (out, *(engine.tick(t, NOW) for t in ends))]
    rows_out = {k: v for b in found if b is not None for k, v in windows_of("river_level", b)}
    assert not (difference := compare("windows", reference.results.windows, rows_out)), difference
    assert out.accepted == reference.results.accepted
    assert set(flags_of(b) if (b := out.flags_batch()) else ()) == reference.results.flags
    for name in ("level_m", "flow_m3_s"):
        for row in rows_out.values():
            assert all(math.isfinite(row[f"{name}_{s}"] or 0.0) for s in ("sum", "min", "max"))


@given(st.data())
def test_any_bytes_are_a_frame_or_a_frame_error(data: st.DataObject) -> None:
    good = encode(river_frame([("r-1", int(NOW.timestamp()) * US, 500.0, None)]))
    value = data.draw(st.one_of(st.none(), st.binary(max_size=300), st.just(good)))
    if value == good:
        place = data.draw(st.integers(0, len(good) - 1))
        value = good[:place] + bytes([data.draw(st.integers(0, 255))]) + good[place + 1 :]
    headers = data.draw(
        st.one_of(
            st.just(frame_headers(RIVER, "test", NOW)),
            st.lists(st.tuples(st.sampled_from(["ce_type", "ce_time"]), st.binary(max_size=20))),
        )
    )
    try:
        frame = decode("river_level", value, headers)
    except FrameError as error:
        assert error.code in {"headers", "schema_version", "arrow", "too_large"}
    else:
        assert all(row.index < frame.batch.num_rows for row in bad_rows(frame.batch))


@given(st.lists(st.one_of(st.binary(max_size=40), st.none()), max_size=8))
def test_the_worker_goes_on_after_any_record(values: list[bytes | None]) -> None:
    place = ("t.readings.river_level.v1", 0)
    desk = Desk("t")
    desk.benches[place] = Bench(RIVER, PartitionEngine(RIVER), 0)
    for offset, value in enumerate(values):
        for headers in (frame_headers(RIVER, "test", NOW), [("ce_type", b"city.tick")], None):
            desk.handle(place, offset, value, headers, NOW)
    good = encode(river_frame([("r-1", int(NOW.timestamp()) * US, 500.0, None)]))
    last = len(values)
    assert desk.handle(place, last, good, frame_headers(RIVER, "test", NOW), NOW) == 1
    assert desk.benches[place].next_offset == last + 1


def test_word_of_one_shard_goes_to_the_others_and_is_heard() -> None:
    """A tick makes a shard tell the other three of its stream that it hears a placed sensor."""
    topic = "t.readings.river_level.v1"
    desk = Desk("t")
    desk.benches = {(topic, p): Bench(RIVER, PartitionEngine(RIVER, p), 0) for p in range(4)}
    start = int(NOW.timestamp())
    value = encode(river_frame([("river-dongzikou", start * US, 485.0, None)]))
    headers: Any = frame_headers(RIVER, "test", NOW)
    desk.handle((topic, 2), 0, value, headers, NOW)
    desk.handle((topic, 2), 1, encode_tick(start), tick_headers(), NOW)
    words = [m for m in desk.outbox if m.kind == TICK_TYPE]
    assert [(m.topic, m.partition) for m in words] == [(topic, 0), (topic, 1), (topic, 3)]
    for message in words:
        desk.handle((topic, message.partition), 0, message.value, tick_headers(), NOW)
        heard = desk.benches[topic, message.partition].engine.state.silence.heard
        assert heard == {"2": ("heard", start)}


def test_a_record_seen_before_is_passed_over() -> None:
    """The offset guard: what is below the checkpoint is not worked off again."""
    place = ("t.readings.river_level.v1", 0)
    desk = Desk("t")
    desk.benches[place] = Bench(RIVER, PartitionEngine(RIVER), 5)
    start = int(NOW.timestamp()) * US
    headers: Any = frame_headers(RIVER, "test", NOW + timedelta(seconds=3))
    for offset, at in ((4, start), (5, start + US), (5, start + 2 * US), (6, start + 3 * US)):
        desk.handle(place, offset, encode(river_frame([("r-1", at, 500.0, None)])), headers, NOW)
    state = desk.benches[place].engine.state
    assert state.arrays["newest"][state.names.index("r-1")] == start + 3 * US
    assert desk.benches[place].next_offset == 7
