"""Subjects that move: their declaration, their names, the district of a place."""

import random
import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from catalog.frames import SENSOR_ID, bad_rows, readings_schema
from catalog.model import Position, Stream
from catalog.registry import stream
from catalog.shapes import boundaries, district_at, districts_at
from catalog.site import site

TRUCK = stream("truck")


def test_a_position_is_measured_and_no_chart() -> None:
    assert TRUCK.position is not None
    assert not {"lon", "lat"} & {*TRUCK.charted_names}
    assert {"lon", "lat"} <= {*TRUCK.metric_names}
    assert stream("noise").charted_names == stream("noise").aggregate_names


FAR = TRUCK.quantity("load_t").model_copy(update={"name": "far", "fail_span": (0, 140)})


@pytest.mark.parametrize(
    "more",
    [
        {"position": Position(lon="east")},
        {"headline": "lon"},
        {"position": Position(lat="far"), "metrics": (*TRUCK.metrics, FAR)},
        {"position": Position(lat="sweeping")},
    ],
)
def test_a_position_that_is_none_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Stream(**{**dict(TRUCK), **more})  # pyright: ignore


@pytest.mark.parametrize("name", ["川A12345", "川AF12345", "川A0410环", "bus-7", "a" * 64])
def test_a_vehicle_is_named_as_people_write_it(name: str) -> None:
    assert re.fullmatch(SENSOR_ID, name)
    assert bad_rows(_frame(name)) == []


@pytest.mark.parametrize("name", ["", "川A 12345", "川A·1", "Ａ12345", "a\n", "川" * 65, "é", "-a"])
def test_a_name_that_would_not_be_read_back_is_refused(name: str) -> None:
    assert [row.code for row in bad_rows(_frame(name))] == ["sensor"]


def _frame(name: str) -> pa.RecordBatch:
    schema = readings_schema(TRUCK)
    columns = {n: [None] for n in schema.names} | {"sensor": [name], "observed_at": [10**15]}
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _plainly(lon: float, lat: float) -> str:
    """Return the district by the plain rule: an odd number of edges to the east."""
    for code, shape in boundaries().items():
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        for rings in parts:
            odd = [
                sum(
                    (y1 > lat) != (y2 > lat) and lon < x1 + (lat - y1) * (x2 - x1) / (y2 - y1)
                    for (x1, y1, *_), (x2, y2, *_) in pairwise(ring)
                )
                % 2
                for ring in rings
            ]
            if odd[0] and not any(odd[1:]):
                return code
    return ""


def test_districts_of_many_places_are_those_of_each() -> None:
    rng = random.Random(7)
    lon = np.array([rng.uniform(102.8, 105.2) for _ in range(400)])
    lat = np.array([rng.uniform(30.0, 31.6) for _ in range(400)])
    assert districts_at(lon, lat) == [_plainly(x, y) for x, y in zip(lon, lat, strict=True)]
    assert district_at(*site().centre) in site().districts
    assert district_at(0.0, 0.0) is None
