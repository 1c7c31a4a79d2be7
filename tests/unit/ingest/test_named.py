"""Booleans and states at the gateway: by name, by number, and what is neither."""

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from catalog.frames import encode, readings_schema
from catalog.registry import stream
from ingest.arrow_body import parse_arrow
from ingest.describe import example, request_schema
from ingest.readings import Refused, parse_json

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
AT = "2026-11-24T16:00:00+08:00"
COVER, LAMP = stream("cover"), stream("lamp_circuit")


def body(metric: str, *values: str) -> bytes:
    """Return a body with a reading for each value, as written."""
    rows = [
        f'{{"sensor": "s-{n}", "observed_at": "{AT}", "{metric}": {value}}}'
        for n, value in enumerate(values)
    ]
    return f'{{"readings": [{", ".join(rows)}]}}'.encode()


def test_true_and_false_and_their_numbers_are_taken() -> None:
    batch = parse_json(COVER, body("opened", "true", "false", "1", "0", "1.0"), NOW)
    assert batch.column("opened").to_pylist() == [1.0, 0.0, 1.0, 0.0, 1.0]


def test_a_state_is_taken_by_name_and_by_number() -> None:
    batch = parse_json(LAMP, body("control", '"auto"', '"fault"', "2", "3.0"), NOW)
    assert batch.column("control").to_pylist() == [1.0, 3.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        *(("opened", x) for x in ("2", "0.5", "-1", '"true"', "1e300", "[]", "{}")),
        *(("control", x) for x in ("0", "4", "1.5", '"Auto"', '""', '"故障"', "true", "[1]")),
        ("control", json.dumps("x" * 100_000)),
    ],
)
def test_what_is_no_value_is_named(metric: str, value: str) -> None:
    declared = COVER if metric == "opened" else LAMP
    with pytest.raises(Refused) as refused:
        parse_json(declared, body(metric, value), NOW)
    (error,) = refused.value.errors
    assert (refused.value.status, error.item, error.field) == (422, 0, metric)
    assert error.rule == "value"
    assert len(error.detail) < 200


def test_a_metric_named_twice_is_refused_beside_names_and_nulls() -> None:
    text = f'{{"readings": [{{"sensor": "s", "observed_at": "{AT}", "control": "auto",'
    text += ' "leak_ma": 1, "leak_ma": null}]}'
    with pytest.raises(Refused) as refused:
        parse_json(LAMP, text.encode(), NOW)
    assert [e.rule for e in refused.value.errors] == ["contradiction"]


def ipc(metric: str, column: pa.Array) -> bytes:
    """Return readings with one column of a metric as an Arrow stream."""
    names = pa.array([f"s-{n}" for n in range(len(column))])
    at = pa.array([datetime(2026, 11, 24, 8, tzinfo=UTC)] * len(column), pa.timestamp("us", "UTC"))
    batch = pa.record_batch({"sensor": names, "observed_at": at, metric: column})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "column",
    [pa.array(["auto", "fault"]), pa.array(["auto", "fault"]).dictionary_encode()],
)
def test_arrow_columns_may_hold_names(column: pa.Array) -> None:
    found = parse_arrow(LAMP, ipc("control", column), NOW)
    assert found.column("control").to_pylist() == [1.0, 3.0]
    assert found.schema == readings_schema(LAMP)
    assert encode(found)


def test_arrow_booleans_are_taken() -> None:
    found = parse_arrow(COVER, ipc("opened", pa.array([True, False])), NOW)
    assert found.column("opened").to_pylist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("metric", "column"),
    [
        ("control", pa.array(["auto", "broken"])),
        ("control", pa.array([1.0, 7.0])),
        ("opened", pa.array([0.0, 0.5])),
    ],
)
def test_arrow_rows_that_are_no_value_are_named(metric: str, column: pa.Array) -> None:
    declared = COVER if metric == "opened" else LAMP
    with pytest.raises(Refused) as refused:
        parse_arrow(declared, ipc(metric, column), NOW)
    assert {(e.item, e.field, e.rule) for e in refused.value.errors} == {(1, metric, "value")}


def test_a_boolean_column_is_no_number() -> None:
    with pytest.raises(Refused) as refused:
        parse_arrow(LAMP, ipc("leak_ma", pa.array([True])), NOW)
    assert [e.rule for e in refused.value.errors] == ["type"]


@pytest.mark.parametrize("declared", [COVER, LAMP])
def test_the_example_of_the_document_is_accepted(declared: Any) -> None:
    shown: Any = request_schema(declared)["content"]["application/json"]["example"]
    assert shown == example(declared)
    assert parse_json(declared, json.dumps(shown).encode(), NOW).num_rows == 1
