"""CSV files as people have them: any encoding, separator, packing, header and quotes."""

import bz2
import gzip
import lzma
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import ValidationError

from catalog.errors import FatalError
from ingest.readings import FieldError
from ingest.replay.header import FileForm
from ingest.replay.table import Cells, Table

PLAIN = "timestamp,value\n2015-09-01 11:25:00,50\n2015-09-01 11:30:00,51\n"
PLAIN_FORM = FileForm()


OURS = frozenset({"timestamp", "value"})


def open_table(
    folder: Path, content: bytes, form: FileForm = PLAIN_FORM, columns: Iterable[str] = OURS
) -> Table:
    path = folder / "sample.csv"
    path.write_bytes(content)
    return Table(path, form, set(columns))


def rows(folder: Path, content: bytes) -> list[tuple[int, Cells | FieldError]]:
    return list(open_table(folder, content).rows())


def words(found: Iterable[tuple[int, Cells | FieldError]]) -> list[tuple[int, str]]:
    return [(n, c.detail if isinstance(c, FieldError) else c["value"]) for n, c in found]


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
        bz2.compress(PLAIN.encode()),
        lzma.compress(PLAIN.encode()),
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


def test_a_row_that_cannot_be_read_says_why_and_takes_no_other(tmp_path: Path) -> None:
    content = PLAIN + '1,2,3\n2015-09-01 11:35:00,"52\n1,2\n1,3\n'
    assert words(rows(tmp_path, content.encode()))[2:] == [
        (4, "3 cells, the header has 2"),
        (5, "a quote is open at the end of the line"),
        (6, "2"),
        (7, "3"),
    ]


def test_a_quoted_cell_may_span_lines_where_it_is_not_ours(tmp_path: Path) -> None:
    content = 'timestamp,value,note\n1,2,"two\nlines, so"\n3,4,"in cm\n5,6,"in cm\n7,8,"x"\n'
    assert words(rows(tmp_path, content.encode())) == [
        (2, "2"),
        (4, "a quote is open at the end of the line"),
        (5, "a quote is open at the end of the line"),
        (6, "8"),
    ]


def test_a_quoted_cell_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.replay.text.LONGEST_ROW", 2)
    content = 'timestamp,value,note\n1,2,"two\nlines"\n3,4,"and\nthree\nlines"\n5,6,x\n'
    found = words(rows(tmp_path, content.encode()))
    assert found[:2] == [(2, "2"), (4, "a quote is open at the end of the line")]
    assert found[-1] == (7, "6")


def test_a_quote_never_closed_in_a_long_file_takes_one_row(tmp_path: Path) -> None:
    good = [f"{i},{i}\n" for i in range(3_000)]
    content = "timestamp,value\n" + "".join([*good[:1_500], '1500,"x\n', *good[1_501:]])
    found = rows(tmp_path, content.encode())
    assert [n for n, _ in found] == list(range(2, 3_002))
    assert [n for n, cells in found if isinstance(cells, FieldError)] == [1_502]


@pytest.mark.parametrize(
    ("content", "codec"),
    [
        ("时间,噪声,备注\n1,2,好\n".encode("gb18030"), "GB18030 (it is not UTF-8)"),
        ("时间,噪声,备注\n1,2,好\n".encode(), "UTF-8"),
        ("时间,噪声\n1,2\n".encode("utf-8-sig"), "UTF-8 with a mark"),
        ("时间,噪声\n1,2\n".encode("utf-16"), "UTF-16"),
        ("时间,噪声\n1,2\n".encode("utf-32"), "UTF-32"),
        # one damaged letter among sound ones is no other encoding
        (("时间,噪声,备注\n" + "1,2,水位\n" * 9).encode() + b"1,2,\xe6\xb0\n", "UTF-8 with 1 "),
    ],
)
def test_the_encoding_is_found_and_named(tmp_path: Path, content: bytes, codec: str) -> None:
    table = open_table(tmp_path, content, columns={"时间", "噪声"})
    found = [c["噪声"] for _, c in table.rows() if not isinstance(c, FieldError)]
    assert set(found) == {"2"}
    assert codec in table.words


def test_a_cell_of_another_encoding_is_refused_where_it_is_ours(tmp_path: Path) -> None:
    content = b"timestamp,value,note\n1,2,caf\xe9\n3,4\xb0,x\n"
    found = rows(tmp_path, content)
    assert words(found) == [(2, "2"), (3, "'4\ufffd' is of another encoding")]
    declared = open_table(tmp_path, content, FileForm(encoding="latin-1"))
    assert [c["value"] for _, c in declared.rows() if isinstance(c, dict)] == ["2", "4°"]


def test_the_form_may_be_declared(tmp_path: Path) -> None:
    text = "timestamp:value\ntimestamp:value\n1:2\n"
    form = FileForm(separator=":", skip_lines=1)
    assert words(open_table(tmp_path, text.encode(), form).rows()) == [(3, "2")]
    bare = open_table(tmp_path, b"1;2\n3;4\n", FileForm(header=("timestamp", "value")))
    assert words(bare.rows()) == [(1, "2"), (2, "4")]
    blanks = open_table(tmp_path, b" timestamp   value\n 1 \t  2\n", FileForm(separator=" "))
    assert words(blanks.rows()) == [(2, "2")]
    with pytest.raises(FatalError, match="header in the map: no column value"):
        open_table(tmp_path, b"1;2\n", FileForm(header=("timestamp",)))
    with pytest.raises(ValidationError, match="no encoding 'base64'"):
        FileForm(encoding="base64")


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
