"""CSV files as people have them: any Unicode, separator, packing, loose headers, odd hours."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.replay_file import Cells, CsvFile
from ingest.replay_map import TimeColumns
from service.errors import FatalError

PLAIN = "timestamp,value\n2015-09-01 11:25:00,50\n2015-09-01 11:30:00,51\n"
CHICAGO = TimeColumns(columns=("t",), format="%Y-%m-%d %H:%M", zone="America/Chicago")


def rows(folder: Path, content: bytes) -> list[tuple[int, Cells | str]]:
    path = folder / "sample.csv"
    path.write_bytes(content)
    return list(CsvFile(path, {"timestamp", "value"}).rows())


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.replace("timestamp,value", " Timestamp , VALUE ").encode(),
        PLAIN.replace(",", ";").encode("utf-8-sig"),
        PLAIN.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),
        PLAIN.replace("\n", "\r").encode(),
        ("\n" + PLAIN.replace("\n", "\n\n") + "  \n ,\n\n").encode(),
        gzip.compress(PLAIN.encode(), mtime=0),
        PLAIN.replace("\n", ",caf\xe9\n").encode("latin-1"),
        PLAIN.replace("\n", ",caf\xe9\n").encode(),
        PLAIN.replace("\n", "," + "x" * 200_000 + "\n").encode(),
    ],
)
def test_a_file_is_read_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    found = [c for _, c in rows(tmp_path, content) if isinstance(c, dict)]
    assert [c["value"] for c in found] == ["50", "51"]
    assert [c["timestamp"][-8:-3] for c in found] == ["11:25", "11:30"]


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    content = "\n\n" + PLAIN + "\n2015-09-01 11:35:00\n"
    assert [line for line, _ in rows(tmp_path, content.encode())] == [4, 5, 7]


def test_a_row_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    found = rows(tmp_path, (PLAIN + '1,2,3\n2015-09-01 11:35:00,"52\n1,2\n1,2\n').encode())
    assert found[2:] == [
        (4, "3 cells, the header has 2"),
        (7, "a quote is open over several lines"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"date,value\n1,2\n", "no column timestamp; it has date, value"),
        (b"timestamp,value,VALUE ,value\n", "column value is there more than once"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-9], "ended before the end"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(FatalError, match=says):
        rows(tmp_path, content)


def test_the_hour_that_comes_twice_in_autumn_is_kept_twice() -> None:
    before, found = None, []
    for clock in ("00:30", "01:00", "01:30", "01:00", "01:30", "02:00"):
        before = CHICAGO.read({"t": f"2015-11-01 {clock}"}, before)
        found.append(f"{before:%H:%M}")
    assert found == ["05:30", "06:00", "06:30", "07:00", "07:30", "08:00"]
    another_day = datetime(2016, 3, 1, tzinfo=UTC)
    assert CHICAGO.read({"t": "2015-11-01 01:00"}, another_day).hour == 6


def test_the_hour_that_is_left_out_in_spring_is_named() -> None:
    for clock in ("02:00", "02:59"):
        with pytest.raises(ValueError, match="does not exist in America/Chicago"):
            CHICAGO.read({"t": f"2015-03-08 {clock}"})
    assert CHICAGO.read({"t": "2015-03-08 03:00"}).hour == 8
