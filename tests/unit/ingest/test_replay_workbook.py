"""Workbooks: the sheet that has the columns, its dates and numbers as they are meant."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from catalog.errors import FatalError
from ingest.replay import workbook
from tests.unit.ingest.files import noise_map, replayed

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DATE = 1
"""Style of the cells that are dates."""

Cell = str | float | tuple[float, int] | None


def cell_xml(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    number, style = cell if isinstance(cell, tuple) else (cell, 0)
    return f'<c s="{style}"><v>{number!r}</v></c>'


def save(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """Write a workbook of the least parts that the format has; return its bytes."""
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/s{n}.xml"/>'
            for n in numbers
        )
        + f'<Relationship Id="rs" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for n, rows in zip(numbers, sheets.values(), strict=True):
        body = "".join(f"<row>{''.join(map(cell_xml, row))}</row>" for row in rows)
        parts[f"xl/worksheets/s{n}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for name, xml in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{xml}')
    return path.read_bytes()


HEADER = ("timestamp", "value")
ELEVEN_25, MIDNIGHT = 42248.4756944444, 42249.0


def test_dates_are_taken_as_dates_and_numbers_as_numbers(tmp_path: Path) -> None:
    rows = (
        ("站点 A", None),
        (),
        HEADER,
        ((ELEVEN_25, DATE), 50.5),
        ((MIDNIGHT, DATE), 51),
        ("2015-09-02 01:00:00", "52"),
        ((MIDNIGHT, DATE), None),
        (None, None),
        ("soon", 53),
    )
    content = save(tmp_path / "w.xlsx", {"说明": [("所有数据",)], "数据": rows})
    sent = replayed(tmp_path, content, noise_map(tmp_path), "w.xlsx")
    assert sent.utc == ["2015-09-01T03:25:00", "2015-09-01T16:00:00", "2015-09-01T17:00:00"]
    assert sent.values == [50.5, 51.0, 52.0]
    assert sent.rules == [(7, "no_metric"), (9, "time")]
    assert sent.replay.table.words == "workbook, sheet 数据, rows from line 4"


@pytest.mark.parametrize(
    ("form", "cell", "utc"),
    [
        ('format = "excel"\nzone = "Asia/Shanghai"', ELEVEN_25, "2015-09-01T03:25:00"),
        ('format = "excel"\nzone = "Asia/Shanghai"', (ELEVEN_25, DATE), "2015-09-01T03:25:00"),
        ('format = "unix_s"', 1554085919.0, "2019-04-01T02:31:59"),
        ('format = "unix_ms"', 1554085919250.0, "2019-04-01T02:31:59.250000"),
    ],
)
def test_counts_in_cells(
    tmp_path: Path, form: str, cell: float | tuple[float, int], utc: str
) -> None:
    content = save(tmp_path / "w.xlsx", {"S": [HEADER, (cell, 50)]})
    assert replayed(tmp_path, content, noise_map(tmp_path, form), "w.xlsx").utc == [utc]


def test_a_number_that_names_a_sensor_has_no_point(tmp_path: Path) -> None:
    rows = [("station", *HEADER), (1001, "2015-09-01 11:25:00", 50)]
    content = save(tmp_path / "w.xlsx", {"S": rows})
    sent = replayed(tmp_path, content, noise_map(tmp_path, sensor="st-{station}"), "w.xlsx")
    assert [r["sensor"] for r in sent.readings] == ["st-1001"]


def test_a_date_is_no_count_of_seconds(tmp_path: Path) -> None:
    content = save(tmp_path / "w.xlsx", {"S": [HEADER, ((ELEVEN_25, DATE), 50)]})
    with pytest.raises(FatalError, match="a date, not a count of seconds"):
        replayed(tmp_path, content, noise_map(tmp_path, 'format = "unix_s"'), "w.xlsx")


def test_date_and_time_in_two_columns(tmp_path: Path) -> None:
    rows = [("day", "clock", "value"), ((42248.0, DATE), "11:25:00", 50)]
    content = save(tmp_path / "w.xlsx", {"S": rows})
    plan = noise_map(tmp_path, columns=("day", "clock"))
    assert replayed(tmp_path, content, plan, "w.xlsx").utc == ["2015-09-01T03:25:00"]


def test_the_map_chooses_between_sheets(tmp_path: Path) -> None:
    day = "2015-09-01 11:25:00"
    sheets = {"A": [HEADER, (day, 50)], "B": [HEADER, (day, 51)], "C": [("x",)]}
    content = save(tmp_path / "w.xlsx", sheets)
    with pytest.raises(FatalError, match="sheets A, B have the columns"):
        replayed(tmp_path, content, noise_map(tmp_path), "w.xlsx")
    chosen = noise_map(tmp_path, top='sheet = "B"')
    assert replayed(tmp_path, content, chosen, "w.xlsx").values == [51.0]
    with pytest.raises(FatalError, match="no sheet D; it has A, B, C"):
        replayed(tmp_path, content, noise_map(tmp_path, top='sheet = "D"'), "w.xlsx")
    with pytest.raises(FatalError, match=r"no column timestamp, value; it has x \(sheet C\)"):
        replayed(tmp_path, content, noise_map(tmp_path, top='sheet = "C"'), "w.xlsx")
    with pytest.raises(FatalError, match="no sheet has the columns time, value; sheets: A, B, C"):
        replayed(tmp_path, content, noise_map(tmp_path, columns=("time",)), "w.xlsx")


def test_a_workbook_that_unpacks_to_more_than_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = save(tmp_path / "w.xlsx", {"S": [HEADER]})
    monkeypatch.setattr(workbook, "LARGEST_BYTES", 1000)
    with pytest.raises(FatalError, match="MiB unpacked: save it as CSV"):
        replayed(tmp_path, content, noise_map(tmp_path), "w.xlsx")
