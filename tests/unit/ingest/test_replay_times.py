"""Times of files: named formats, zones, and the hour that comes twice, by the order of rows."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from ingest.replay.time_forms import time_reader
from ingest.replay.times import TimeColumns, TimeReader
from tests.unit.ingest.files import noise_map, replayed

CHICAGO = ZoneInfo("America/Chicago")
ZONE = 'format = "%Y-%m-%d %H:%M"\nzone = "America/Chicago"'


def reader(zone: str | None = "America/Chicago", form: str = "%Y-%m-%d %H:%M") -> TimeReader:
    return TimeReader(TimeColumns(columns=("t",), format=form, zone=zone))


def test_the_hour_that_is_left_out_in_spring_is_named() -> None:
    times = reader()
    for clock in ("02:00", "02:59"):
        with pytest.raises(ValueError, match="does not exist in America/Chicago"):
            times.read({"t": f"2015-03-08 {clock}"})
    assert times.read({"t": "2015-03-08 03:00"})[0].hour == 8


@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"])
def test_every_half_hour_of_decades_is_read_as_the_zone_has_it(zone: str) -> None:
    times, place = reader(zone), ZoneInfo(zone)
    start = datetime(1985, 1, 1, tzinfo=UTC)
    for half_hours in range(0, 8 * 365 * 48, 7):
        at = start + timedelta(minutes=30 * half_hours)
        wall = at.astimezone(place)
        first, second = times.read({"t": f"{wall:%Y-%m-%d %H:%M}"})
        assert at == (second if wall.fold else first), wall


@pytest.mark.parametrize(
    ("form", "text", "iso"),
    [
        ("iso", "2015-09-01T11:25:00+08:00", "2015-09-01T03:25:00"),
        ("iso", "2015-09-01t11:25:00.1234567z", "2015-09-01T11:25:00.123456"),
        ("iso", "2015-09-01 11:25", "2015-09-01T11:25:00"),
        ("iso", "2015-09-01", "2015-09-01T00:00:00"),
        ("iso", "2015-09-01T24:00:00Z", "2015-09-02T00:00:00"),
        ("unix_us", "1554085919000001", "2019-04-01T02:31:59.000001"),
        ("unix_ns", "1554085919000000999", "2019-04-01T02:31:59"),
        ("%Y %m %d %H", "2015 12 31 24", "2016-01-01T00:00:00"),
        ("%Y%m%d%H%M", "201512242400", "2015-12-25T00:00:00"),
        ("%Y-%m-%dT%H:%M:%S", "2015-02-28T24:00:00", "2015-03-01T00:00:00"),
        ("%d/%m/%y %H:%M", "24/09/24 11:24", "2024-09-24T11:24:00"),
        ("%Y-%m-%d %H:%M:%S%z", "2015-09-01 11:25:00+0800", "2015-09-01T03:25:00"),
        ("%Y/%m/%d %I:%M %p", "2015/09/01 01:24 PM", "2015-09-01T13:24:00"),
    ],
)
def test_forms_of_times(form: str, text: str, iso: str) -> None:
    assert reader("UTC", form).read({"t": text})[0].isoformat() == iso + "+00:00"


@pytest.mark.parametrize(
    ("form", "text", "says"),
    [
        ("iso", "2015-W01-1", "is no ISO 8601 time"),
        ("iso", "2015-09-31T11:25:00Z", "no time of the calendar"),
        ("iso", "2015-09-01T24:00:01Z", "a day ends at 24:00"),
        ("iso", "2015-12-31T23:59:60Z", "no time of the calendar"),
        ("unix_s", "1554085919000", 'format = "unix_ms" fits'),
        ("unix_ms", "1554085919", 'format = "unix_s" fits'),
        ("unix_s", "1.554E+09", "no plain number"),
        ("unix_s", "-5", "no plain number"),
        ("excel", "1554085919", "no day number"),
        ("excel", "2015-09-01", "no plain number"),
        ("%Y-%m-%d %H:%M", "2015-09-01 24:30", "does not match"),
        ("%Y-%m-%d %H:%M", "2015-09-01 25:00", "does not match"),
    ],
)
def test_what_is_no_time_of_the_form_says_so(form: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        reader("UTC", form).read({"t": text})


def test_the_quick_way_reads_what_strptime_reads() -> None:
    quick = time_reader("%Y-%m-%d %H:%M:%S")
    for text in ("2015-09-01 11:25:00", "2015-9-1 1:5:0", "0001-01-01 00:00:00"):
        assert quick(text) == datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    for text in ("2015-09-01T11:25:00", "2015-09-01 11:25:0x", "2015-09-01 11+02:30"):
        with pytest.raises(ValueError):
            quick(text)


@pytest.mark.parametrize(
    ("form", "zone", "says"),
    [
        ("%Y", None, "write zone"),
        ("excel", None, "write zone"),
        ("%s", "UTC", "unix_s"),
        ("unix", "UTC", "is none of iso, unix_s"),
        ("iso", "Mars/Base", "no time zone 'Mars/Base'"),
    ],
)
def test_a_format_and_its_zone_must_fit(form: str, zone: str | None, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        TimeColumns(columns=("t",), format=form, zone=zone)


def test_an_iso_time_without_a_zone_needs_one_in_the_map() -> None:
    with pytest.raises(ValueError, match="has no zone, and the map names none"):
        reader(None, "iso").read({"t": "2015-09-01T11:25:00"})
    assert reader("Asia/Shanghai", "iso").read({"t": "2015-09-01T11:25:00"})[0].hour == 3


def autumn(*rows: str) -> str:
    return "timestamp,value,station\n" + "".join(f"2015-11-01 {row}\n" for row in rows)


@pytest.mark.parametrize(
    ("rows", "utc"),
    [
        # an hourly file has the same text twice
        (("00:00,1,a", "01:00,2,a", "01:00,3,a", "02:00,4,a"), ("05", "06", "07", "08")),
        (("02:00,1,a", "01:00,2,a", "01:00,3,a", "00:00,4,a"), ("08", "07", "06", "05")),
        # a file that begins or ends within the hour
        (("01:30,1,a", "01:10,2,a", "02:00,3,a"), ("06", "07", "08")),
        (("00:30,1,a", "01:50,2,a", "01:10,3,a"), ("05", "06", "07")),
        (("02:30,1,a", "01:10,2,a", "01:50,3,a"), ("08", "07", "06")),
        (("01:00,1,a", "01:20,2,a", "01:40,3,a", "01:00,4,a"), ("06", "06", "06", "07")),
    ],
)
def test_order_that_shows_the_hour(tmp_path: Path, rows: tuple[str, ...], utc: tuple[str]) -> None:
    sent = replayed(tmp_path, autumn(*rows), noise_map(tmp_path, ZONE))
    assert [at[11:13] for at in sent.utc] == list(utc)
    assert not sent.refused


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        (("00:30,1,a", "01:00,2,a", "01:30,3,a", "02:00,4,a"), 2),  # one hour of the two is missing
        (("01:30,1,a", "01:00,2,a", "12:00,3,b"), 2),  # either way fits
        # up, then down
        (("00:30,1,a", "01:00,2,a", "01:20,3,a", "01:40,4,a", "01:10,5,a", "00:10,6,a"), 4),
        (("00:30,1,a", "01:30,2,a", "01:00,3,a", "01:20,4,a", "01:10,5,a", "02:00,6,a"), 4),
    ],
)
def test_rows_whose_hour_the_order_does_not_show_are_refused(
    tmp_path: Path, rows: tuple[str, ...], refused: int
) -> None:
    plan = noise_map(tmp_path, ZONE, sensor="{station}")
    sent = replayed(tmp_path, autumn(*rows), plan)
    assert [rule for _, rule in sent.rules] == ["repeated_hour"] * refused
    assert "comes twice in America/Chicago" in sent.refused[0].error.detail
    assert len(sent.readings) == len(rows) - refused


@pytest.mark.parametrize(("which", "hour"), [("first", "06"), ("second", "07")])
def test_the_map_may_say_which_hour_it_is(tmp_path: Path, which: str, hour: str) -> None:
    plan = noise_map(tmp_path, f'{ZONE}\nrepeated_hour = "{which}"')
    sent = replayed(tmp_path, autumn("00:30,1,a", "01:00,2,a", "02:00,3,a"), plan)
    assert [at[11:13] for at in sent.utc] == ["05", hour, "08"]


@pytest.mark.parametrize("layout", ["time, then station", "station, then time"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_each_station_has_an_order_of_its_own(
    tmp_path: Path, layout: str, newest_first: bool
) -> None:
    start = datetime(2015, 10, 31, tzinfo=UTC)
    every = [(start + timedelta(minutes=20 * i), s) for i in range(200) for s in "abc"]
    every.sort(reverse=newest_first)
    if layout == "station, then time":
        every.sort(key=lambda row: row[1])
    rows = [f"{at.astimezone(CHICAGO):%Y-%m-%d %H:%M},{i},{s}" for i, (at, s) in enumerate(every)]
    text = "timestamp,value,station\n" + "\n".join(rows)
    sent = replayed(tmp_path, text, noise_map(tmp_path, ZONE, sensor="{station}"))
    assert not sent.refused
    assert sent.utc == [f"{at:%Y-%m-%dT%H:%M:%S}" for at, _ in every]
    assert [r["sensor"] for r in sent.readings] == [s for _, s in every]


def test_a_shuffled_file_has_no_order(tmp_path: Path) -> None:
    start = datetime(2015, 10, 31, tzinfo=UTC)
    every = [start + timedelta(minutes=20 * i) for i in range(200)]
    random.Random(7).shuffle(every)
    rows = [f"{at.astimezone(CHICAGO):%Y-%m-%d %H:%M},{i}" for i, at in enumerate(every)]
    sent = replayed(tmp_path, "timestamp,value\n" + "\n".join(rows), noise_map(tmp_path, ZONE))
    assert {rule for _, rule in sent.rules} == {"repeated_hour"}
    assert len(sent.refused) == 6
    assert sent.replay.survey().order == "in no order"


def test_an_unsorted_file_shows_no_hour_though_four_rows_of_it_are_in_order(tmp_path: Path) -> None:
    odd = [f"{hour},1,a" for hour in ("03:00", "00:00", "04:00", "00:10", "05:00")]
    rows = (*odd, "00:30,2,a", "01:30,3,a", "01:00,4,a", "02:00,5,a")
    sent = replayed(tmp_path, autumn(*rows), noise_map(tmp_path, ZONE))
    assert sent.rules == [(8, "repeated_hour"), (9, "repeated_hour")]


def test_rows_that_the_map_leaves_out_have_no_part_in_the_order(tmp_path: Path) -> None:
    extra = '[[where]]\ncolumn = "station"\nvalues = ["a"]'
    rows = (
        "00:30,1,a",
        "01:00,2,a",
        "01:00,9,b",
        "01:30,3,a",
        "01:10,9,b",
        "01:00,4,a",
        "02:00,5,a",
    )
    sent = replayed(tmp_path, autumn(*rows), noise_map(tmp_path, ZONE, extra=extra))
    assert [at[11:16] for at in sent.utc] == ["05:30", "06:00", "06:30", "07:00", "08:00"]
    assert sent.replay.progress.filtered == 2
