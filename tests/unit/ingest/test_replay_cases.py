"""Files as others save them: each is read for what it says, or refused by name."""

import io
import zipfile
from pathlib import Path

import pytest

from catalog.errors import FatalError
from tests.unit.ingest.files import noise_map, replayed

CHICAGO = 'format = "%Y-%m-%d %H:%M"\nzone = "America/Chicago"'
UTC = 'format = "%Y-%m-%d %H:%M:%S"\nzone = "UTC"'
AUTUMN = ("00:30", "01:00", "01:30", "01:00", "01:30", "02:00")
AUTUMN_UTC = ("05:30", "06:00", "06:30", "07:00", "07:30", "08:00")


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_autumn_hour_by_the_order_of_the_rows(tmp_path: Path, newest_first: bool) -> None:
    rows = [f"2015-11-01 {clock},{51 + i}\n" for i, clock in enumerate(AUTUMN)]
    text = "timestamp,value\n" + "".join(rows[::-1] if newest_first else rows)
    sent = replayed(tmp_path, text, noise_map(tmp_path, CHICAGO))
    by_value = {r["leq_db"]: r["observed_at"][11:16] for r in sent.readings}
    assert by_value == {51.0 + i: at for i, at in enumerate(AUTUMN_UTC)}
    assert sent.replay.survey().order == ("newest first" if newest_first else "oldest first")


def test_midnight_as_the_hour_24(tmp_path: Path) -> None:
    text = (
        "timestamp,value\n2015-09-01 23:00:00,50\n2015-09-01 24:00:00,51\n2015-09-02 01:00:00,52\n"
        "2015-09-02 24:00:01,53\n"
    )
    sent = replayed(tmp_path, text, noise_map(tmp_path, UTC))
    assert sent.utc == ["2015-09-01T23:00:00", "2015-09-02T00:00:00", "2015-09-02T01:00:00"]
    assert sent.rules == [(5, "time")]


@pytest.mark.parametrize(
    ("form", "cell", "utc"),
    [
        ('format = "unix_s"', "1554085919", "2019-04-01T02:31:59"),
        ('format = "unix_s"', "1554085919.25", "2019-04-01T02:31:59.250000"),
        ('format = "unix_ms"', "1554085919000", "2019-04-01T02:31:59"),
        ('format = "excel"\nzone = "Asia/Shanghai"', "42248.4756944444", "2015-09-01T03:25:00"),
        ('format = "excel"\nzone = "Asia/Shanghai"', "42248.47569", "2015-09-01T03:25:00"),
        ('format = "excel_1904"\nzone = "UTC"', "40786.5", "2015-09-01T12:00:00"),
    ],
)
def test_counts_of_seconds_and_days(tmp_path: Path, form: str, cell: str, utc: str) -> None:
    sent = replayed(tmp_path, f"timestamp,value\n{cell},50\n", noise_map(tmp_path, form))
    assert sent.utc == [utc]


def test_a_chinese_spreadsheet(tmp_path: Path) -> None:
    plan = noise_map(tmp_path, columns=("时间",), value='{ column = "噪声" }')
    content = "时间,噪声\n2015-09-01 11:25:00,50\n".encode("gb18030")
    sent = replayed(tmp_path, content, plan)
    assert (sent.utc, sent.values) == (["2015-09-01T03:25:00"], [50.0])
    assert "GB18030" in sent.replay.table.words


def test_a_header_with_a_comma_in_a_name(tmp_path: Path) -> None:
    plan = noise_map(tmp_path, value='{ column = "PM2,5" }')
    sent = replayed(tmp_path, "timestamp;PM2,5\n2015-09-01 11:25:00;50\n", plan)
    assert sent.values == [50.0]


def test_rows_that_end_in_a_separator(tmp_path: Path) -> None:
    text = "timestamp;value\n2015-09-01 11:25:00;50;\n2015-09-01 11:30:00;51; ;\n"
    assert replayed(tmp_path, text, noise_map(tmp_path)).values == [50.0, 51.0]
    text = "timestamp;value;\n2015-09-01 11:25:00;50\n2015-09-01 11:30:00;51;x\n"
    sent = replayed(tmp_path, text, noise_map(tmp_path), "g.csv")
    assert (sent.values, sent.rules) == ([50.0], [(3, "columns")])


@pytest.mark.parametrize(
    "text",
    [
        "# station: A1\n# unit: dB\ntimestamp,value\n2015-09-01 11:25:00,50\n",
        "sep=;\ntimestamp;value\n2015-09-01 11:25:00;50\n",
        "sep=^\ntimestamp^value\n2015-09-01 11:25:00^50\n",
        '"sep=;"\r\n\r\n站点: A1\r\ntimestamp;value\r\n2015-09-01 11:25:00;50\r\n',
    ],
)
def test_lines_before_the_header(tmp_path: Path, text: str) -> None:
    assert replayed(tmp_path, text, noise_map(tmp_path)).values == [50.0]


@pytest.mark.parametrize("word", ["nan", "NULL", "None", "-", "", "n/a", "#N/A", "无数据", " NA "])
def test_words_that_mean_missing(tmp_path: Path, word: str) -> None:
    plan = noise_map(tmp_path, value='{ column = "leq" }\nmetrics.lmax_db = { column = "lmax" }')
    text = f"timestamp,leq,lmax\n2015-09-01 11:25:00,50,{word}\n"
    sent = replayed(tmp_path, text, plan)
    assert [(r.get("leq_db"), r.get("lmax_db")) for r in sent.readings] == [(50.0, None)]


def test_iso_times_with_and_without_a_fraction(tmp_path: Path) -> None:
    text = "timestamp,value\n2015-09-01T11:25:00Z,50\n2015-09-01T11:30:00.500Z,51\n"
    sent = replayed(tmp_path, text, noise_map(tmp_path, 'format = "iso"'))
    assert sent.utc == ["2015-09-01T11:25:00", "2015-09-01T11:30:00.500000"]


DECIMAL_COMMAS = (
    "timestamp;value\n2015-09-01 11:25:00;50,5\n2015-09-01 11:30:00;51\n2015-09-01 11:35:00;52,3\n"
)


def test_decimal_commas(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match='write decimal = "," in the map'):
        replayed(tmp_path, DECIMAL_COMMAS, noise_map(tmp_path))
    sent = replayed(tmp_path, DECIMAL_COMMAS, noise_map(tmp_path, top='decimal = ","'), "g.csv")
    assert sent.values == [50.5, 51.0, 52.3]


def archive(members: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)  # of one fixed date
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (archive({"a": "1", "b": "2"}), r"an archive of 2 files \(a, b\): unpack it first"),
        (archive({"a": "PK\x03\x04"}), "within an archive"),
        (archive({"word/document": "x", "[Content_Types].xml": ""}), "no workbook"),
        (archive({"xl/workbook": "x"}), "the workbook cannot be read"),
        (archive({"a": "1"})[:60], "not a zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "the workbook cannot be read"),
        (b"7z\xbc\xaf\x27\x1c....", "7z"),
        (b"%PDF-1.7\n", "PDF"),
        (b"  <HTML><table><tr><td>timestamp", "HTML"),
        (b'\xef\xbb\xbf{"readings": []}', "JSON"),
        ("timestamp,value\n".encode("utf-16-le"), 'encoding = "utf-16-le"'),
        (bytes(257) + b"ustar" + bytes(250), "tar"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(FatalError, match=says) as caught:
        replayed(tmp_path, content, noise_map(tmp_path))
    assert str(caught.value).isprintable()


def test_an_archive_of_one_file_is_read(tmp_path: Path) -> None:
    text = "timestamp,value\n2015-09-01 11:25:00,50\n"
    content = archive({"data.csv": text, "__MACOSX/._data.csv": "x"})
    sent = replayed(tmp_path, content, noise_map(tmp_path), "f.zip")
    assert (sent.values, sent.replay.table.words[:4]) == ([50.0], "zip,")
