"""Bodies from strangers: each fault is named, nothing raises anything else, memory is bounded."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.registry import stream
from ingest.arrow_body import parse_arrow
from ingest.readings import FieldError, Refused, parse_json

NOISE = stream("noise")
NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
US = pa.timestamp("us", tz="UTC")
FIRST = '{"sensor":"n-1","observed_at":"2026-11-28T10:00:00Z","leq_db":'
Columns = dict[str, Any]


def faults(body: bytes | str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(Refused) as caught:
        parse_json(NOISE, body.encode() if isinstance(body, str) else body, NOW)
    return [(e.item, e.field, e.rule) for e in caught.value.errors]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", (None, "body", "json")),
        (b"[" * 100_000, (None, "body", "json")),
        ('{"readings":[' + FIRST + "[" * 50_000, (None, "body", "json")),
        (b'{"readings":[{"sensor":"\xff"}]}', (None, "body", "json")),
        ("\ufeff" + '{"readings":[' + FIRST + "1}]}", (None, "body", "json")),
        (('{"readings":[' + FIRST + "1}]}").encode("utf-16"), (None, "body", "json")),
        ('{"readings":[],"readings":[' + FIRST + "1}]}", (None, "readings", "contradiction")),
        ('{"readings":[' + FIRST + '1,"leq_db":2}]}', (0, "leq_db", "contradiction")),
        (
            '{"readings":[' + FIRST + '1,"leq_db":null,"lmax_db":60}]}',
            (0, "leq_db", "contradiction"),
        ),
        ('{"readings":[' + FIRST + '"x","leq_db":1}]}', (0, "leq_db", "contradiction")),
        (
            '{"readings":[' + FIRST + "1}," + FIRST.replace("n-1", "n-2") + r'1,"\u006ceq_db":2}]}',
            (1, "leq_db", "contradiction"),
        ),
        ('{"readings":[' + FIRST + '1,"sensor":"n-2"}]}', (0, "sensor", "contradiction")),
        ('{"readings":[' + FIRST + "1e400}]}", (0, "leq_db", "not_finite")),
        ('{"readings":[' + FIRST + "true}]}", (0, "leq_db", "type")),
        ('{"readings":[' + FIRST.replace("n-1", r"n-1\n") + "1}]}", (0, "sensor", "sensor")),
    ],
)
def test_a_hostile_json_body_has_its_fault_named(
    body: bytes | str, fault: tuple[int | None, str, str]
) -> None:
    assert faults(body) == [fault]


@pytest.mark.parametrize(
    "body",
    [
        '{"readings":[' + FIRST + '1,"lmax_db":null}]}',
        '{"readings":[' + FIRST + '1,"lmax_db":null }]}',
        '{"readings":[' + FIRST.replace("n-1", "leq_db") + "1}]}",
        '{ "readings" : [' + FIRST + '1,"lmax_db":60},' + FIRST.replace("n-1", "null") + "1}]}",
        '{"readings":[' + FIRST.replace("leq_db", r"leq\u005fdb") + "1}]}",
    ],
)
def test_fields_that_are_null_absent_or_written_otherwise_are_not_twice(body: str) -> None:
    assert parse_json(NOISE, body.encode(), NOW).num_rows


def test_a_field_with_a_long_name_is_told_in_short() -> None:
    (found,) = faults('{"readings":[' + FIRST + '1,"' + "k" * 10_000 + '":1}]}')
    assert found[1] == "k" * 100


def arrow(columns: Columns, compression: str | None = None) -> bytes:
    sink, table = pa.BufferOutputStream(), pa.table(columns)
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def of_two_instruments(**values: Sequence[float | None]) -> Columns:
    """A body of one station's readings at one moment, and of another station's."""
    names = ["n-1", "n-1", "n-2"]
    moments = pa.array([NOW] * 3, US)
    return {"sensor": pa.array(names), "observed_at": moments} | {
        name: pa.array(column, pa.float64()) for name, column in values.items()
    }


@pytest.mark.parametrize("as_arrow", [False, True], ids=["JSON", "Arrow"])
def test_metrics_of_two_instruments_in_one_request_are_one_reading(as_arrow: bool) -> None:
    columns = of_two_instruments(leq_db=[50.0, None, 40.0], lmax_db=[None, 60.0, None])
    batch = parsed(columns, as_arrow)
    assert batch.column("leq_db").to_pylist() == [50.0, 50.0, 40.0]
    assert batch.column("lmax_db").to_pylist() == [60.0, 60.0, None]  # copies of one are one row
    columns = of_two_instruments(leq_db=[50.0, 50.0, 40.0], lmax_db=[60.0, None, None])
    assert parsed(columns, as_arrow).column("lmax_db").to_pylist() == [60.0, 60.0, None]
    for other in ([50.0, 51.0, 40.0], [50.0, 0.0, None]):
        columns = of_two_instruments(leq_db=other, lmax_db=[None, 60.0, 60.0])
        with pytest.raises(Refused) as caught:
            parsed(columns, as_arrow)
        assert [(e.item, e.rule) for e in caught.value.errors] == [(1, "contradiction")]


def parsed(columns: Columns, as_arrow: bool) -> pa.RecordBatch:
    if as_arrow:
        return parse_arrow(NOISE, arrow(columns), NOW)
    rows = pa.table(columns).to_pylist()
    given = [{k: v for k, v in row.items() if v is not None} for row in rows]
    body = json.dumps({"readings": given}, default=lambda moment: moment.isoformat())
    return parse_json(NOISE, body.encode(), NOW)


def two(**other: Any) -> Columns:
    return {
        "sensor": pa.array(["n-1", "n-2"]),
        "observed_at": pa.array([NOW, NOW], US),
        "leq_db": pa.array([1.0, 2.0]),
        **other,
    }


def refused(body: bytes) -> list[FieldError]:
    with pytest.raises(Refused) as caught:
        parse_arrow(NOISE, body, NOW)
    return caught.value.errors


SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    "columns",
    [
        two(),
        two(leq_db=pa.array([1, 2], pa.int64())),
        two(leq_db=pa.array([1, 2], pa.float32())),
        two(lmax_db=pa.nulls(2)),
        two(sensor=pa.array(["n-1", "n-2"]).dictionary_encode()),
        two(sensor=pa.array(["n-1", "n-2"], pa.large_string())),
        two(observed_at=pa.array([SECONDS] * 2, pa.timestamp("s", tz="Asia/Shanghai"))),
        two(observed_at=pa.array([SECONDS * 10**9 + 1] * 2, pa.timestamp("ns", tz="UTC"))),
    ],
)
def test_arrow_columns_that_mean_the_same_are_taken(columns: Columns) -> None:
    batch = parse_arrow(NOISE, arrow(columns), NOW)
    assert batch.to_pydict() == {
        "sensor": ["n-1", "n-2"],
        "observed_at": [NOW, NOW],
        "leq_db": [1.0, 2.0],
        "lmax_db": [None, None],
    }


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        (two(leq_db=["1", "2"]), (None, "leq_db", "type")),
        (two(leq_db=[True, False]), (None, "leq_db", "type")),
        (two(leq_db=[1.0, float("nan")]), (1, "leq_db", "not_finite")),
        (two(leq_db=[1.0, None]), (1, "*", "no_metric")),
        (two(sensor=[1, 2]), (None, "sensor", "type")),
        (two(sensor=["n-1", None]), (1, "sensor", "sensor")),
        (two(sensor=["n-1", "n-2\n"]), (1, "sensor", "sensor")),
        (two(observed_at=[NOW, None]), (1, "observed_at", "time")),
        (two(observed_at=["a", "b"]), (None, "observed_at", "time_zone")),
        (
            two(observed_at=pa.array([SECONDS, 2**62], pa.timestamp("s", tz="UTC"))),
            (1, "observed_at", "range"),
        ),
        (two(speed=[1, 2]), (None, "speed", "unknown")),
        ({k: v[:0] for k, v in two().items()}, (None, "readings", "count")),
        (
            {"sensor": ["a"] * 5001, "observed_at": pa.array([NOW] * 5001, US)},
            (None, "readings", "count"),
        ),
    ],
)
def test_a_wrong_arrow_column_is_named(
    columns: Columns, fault: tuple[int | None, str, str]
) -> None:
    assert [(e.item, e.field, e.rule) for e in refused(arrow(columns))] == [fault]


def test_a_column_that_is_there_twice_is_refused() -> None:
    sink, twice = pa.BufferOutputStream(), pa.table(two()).append_column("leq_db", [[3.0, 4.0]])
    with pa.ipc.new_stream(sink, twice.schema) as writer:
        writer.write_table(twice)
    assert refused(sink.getvalue().to_pybytes())[0].rule == "contradiction"


def test_a_small_body_cannot_become_a_large_one() -> None:
    body = arrow(two(sensor=["x" * 1_000_000] * 2), "zstd")
    assert len(body) < 10_000
    before = pa.total_allocated_bytes()
    assert refused(body)[0].rule == "compressed"
    assert pa.total_allocated_bytes() <= before
    long = pa.DictionaryArray.from_arrays([0, 0], ["x" * 1_000_000])
    assert refused(arrow(two(sensor=long)))[0].field == "sensor"
    assert refused(arrow(two(sensor=long), "zstd"))[0].rule == "compressed"


@settings(deadline=None)
@given(st.data())
def test_any_bytes_are_readings_or_a_refusal(data: st.DataObject) -> None:
    body = bytearray(arrow(two()))
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    for parse in (parse_arrow, parse_json):
        try:
            assert parse(NOISE, bytes(body[:cut]), NOW).num_rows
        except Refused as refusal:
            assert refusal.errors
