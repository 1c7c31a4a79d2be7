"""Times as people write them: a leap second or no zone is refused by name, any offset is the same
instant."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.registry import stream
from ingest.readings import Refused, parse_json

NOISE = stream("noise")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def body(observed_at: str) -> bytes:
    reading = f'{{"sensor": "n-1", "observed_at": "{observed_at}", "leq_db": 50}}'
    return f'{{"readings": [{reading}]}}'.encode()


@pytest.mark.parametrize("stamp", ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00"])
def test_a_leap_second_is_refused_with_the_field_named(stamp: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_json(NOISE, body(stamp), NOW)
    assert [error.field for error in refused.value.errors] == ["observed_at"]


@pytest.mark.parametrize("stamp", ["2026-11-24T08:00:00", "2026-11-24 08:00:00", "1795507200"])
def test_a_time_without_a_zone_is_refused_with_the_field_named(stamp: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_json(NOISE, body(stamp), NOW)
    assert [error.field for error in refused.value.errors] == ["observed_at"]


@given(
    at=st.integers(0, 3600 * 24 * 400).map(lambda s: NOW - timedelta(seconds=s)),
    offset_min=st.integers(-14 * 60, 14 * 60),
)
def test_any_offset_is_the_same_instant(at: datetime, offset_min: int) -> None:
    sign, (hours, minutes) = "-" if offset_min < 0 else "+", divmod(abs(offset_min), 60)
    local = (at + timedelta(minutes=offset_min)).strftime("%Y-%m-%dT%H:%M:%S")
    batch = parse_json(NOISE, body(f"{local}{sign}{hours:02d}:{minutes:02d}"), NOW)
    assert batch.column("observed_at").cast(pa.int64())[0].as_py() == int(at.timestamp()) * 10**6
