"""A subject that moves: place, district, track and alert follow its readings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pyarrow as pa
import pytest
from psycopg import Connection

from alerts.episode.episodes import apply
from alerts.settings import AlertSettings
from catalog.contracts import Transition
from catalog.frames import readings_schema
from catalog.registry import stream
from catalog.sensors import sensors_of
from console.history import Span
from console.track import track
from storage.batch import Batch, in_key_order
from storage.history.files import received
from storage.migrate import migrate
from storage.write import write

START = datetime(2026, 11, 24, tzinfo=UTC)
TRUCK = stream("truck")
CAR = sensors_of("truck")[0].id
CENTRE, PIDU, MOUNTAINS = (104.0657, 30.6360), (103.887, 30.808), (101.0, 29.0)


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


def seen(conn: Connection, at_s: int, place: tuple[float, float], name: str = CAR) -> None:
    schema = readings_schema(TRUCK)
    row = {"sensor": name, "observed_at": START + timedelta(seconds=at_s)}
    row |= {"lon": place[0], "lat": place[1], "speed_kmh": 20.0}
    batch = pa.RecordBatch.from_pydict({n: [row.get(n)] for n in schema.names}, schema=schema)
    with conn.transaction():
        write(conn, Batch(readings={"truck": in_key_order([received(batch, START)])}))


def where(conn: Connection, name: str = CAR) -> tuple[float, float, str]:
    row = conn.execute(
        "SELECT lon, lat, district FROM sensors WHERE stream = 'truck' AND sensor = %s", [name]
    ).fetchone()
    assert row is not None
    return row


def test_place_and_district_follow_the_newest_reading(conn: Connection) -> None:
    seen(conn, 60, CENTRE)
    assert where(conn) == (*CENTRE, "510107")
    seen(conn, 120, PIDU)
    assert where(conn) == (*PIDU, "510117")
    seen(conn, 90, CENTRE)  # late: it is where it was last
    assert where(conn) == (*PIDU, "510117")
    seen(conn, 180, MOUNTAINS)
    assert where(conn) == (*MOUNTAINS, "")
    seen(conn, 240, (999.0, 30.0))  # impossible: nobody is there
    assert where(conn) == (*MOUNTAINS, "")
    migrate(conn.info.dsn + f" password={conn.info.password}")  # its depot is not where it is
    assert where(conn) == (*MOUNTAINS, "")


def test_one_that_nobody_registered_has_a_place_too(conn: Connection) -> None:
    seen(conn, 60, CENTRE, "川A12345")
    assert where(conn, "川A12345") == (*CENTRE, "510107")


def test_a_track_is_what_was_read_thinned(conn: Connection) -> None:
    for at_s in range(0, 100, 10):
        seen(conn, at_s, (CENTRE[0] + at_s / 1e4, CENTRE[1]))
    hour = track(conn, TRUCK, CAR, Span(START, START + timedelta(hours=1)))
    assert [(p.at - START).seconds for p in hour if p.at] == list(range(0, 100, 10))
    day = track(conn, TRUCK, CAR, Span(START, START + timedelta(days=1)))
    assert len(day) == 2 and day[0].lon == CENTRE[0]
    assert track(conn, stream("noise"), "x", Span(START, START + timedelta(hours=1))) == []


def test_an_alert_is_where_the_subject_was_when_it_was_raised(conn: Connection) -> None:
    seen(conn, 60, PIDU)
    raised = Transition(
        id="t1",
        episode="e1",
        rule="truck.speeding",
        stream="truck",
        sensor=CAR,
        kind="raised",
        severity=4,
        metric="speed_kmh",
        value=70.0,
        threshold=60.0,
        observed_at=START,
        produced_at=START,
    )
    change = apply(conn, raised)
    assert change is not None
    event = change.event(AlertSettings())
    assert event.labels["district"] == "510117"
    assert event.area is not None and (event.area.lon, event.area.lat) == PIDU
    assert event.data["sensor"]["district"] == "510117"
    seen(conn, 120, MOUNTAINS)
    worse = apply(conn, Transition(**{**_fields(raised), "id": "t2", "kind": "changed"}))
    assert worse is not None and worse.event(AlertSettings()).labels["district"] == "510117"


def _fields(t: Transition) -> dict[str, object]:
    return {name: getattr(t, name) for name in Transition.__struct_fields__}
