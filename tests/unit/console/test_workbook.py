"""Lists as workbooks: another program reads back what was written, whatever people wrote in it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from console.widgets.sheet import sheet
from console.widgets.table import Column
from console.workbook import workbook

COLUMNS = [
    Column("level", "级别", "level"),
    Column("title", "告警", "link"),
    Column("value", "数值", "number"),
    Column("count", "次数", "number"),
    Column("raised", "发生", "time"),
    Column("act", "", "actions"),
]
RAISED = datetime(2026, 11, 29, 18, 35, 0, tzinfo=UTC).isoformat()


def read(path: Path, content: bytes) -> tuple[str, Sequence[Sequence[object]]]:
    path.write_bytes(content)
    book = CalamineWorkbook.from_path(path)
    (name,) = book.sheet_names
    return name, book.get_sheet_by_index(0).to_python()


def test_cells_come_back_as_what_they_are(tmp_path: Path) -> None:
    row = {
        "level": {"mark": "red", "icon": "▲", "text": "I 红色"},
        "title": {"text": "道路积水", "href": "/alerts/1", "sub": "武侯区"},
        "value": {"text": "−0.41", "unit": "m", "sort": -0.4123},
        "count": {"text": "3/4", "unit": "", "sort": 3},
        "raised": RAISED,
        "act": [{"act": "ack", "text": "签收"}],
    }
    heads, cells = sheet(COLUMNS, [row, {"title": "=HYPERLINK(1)"}], "单位")
    assert heads == ["级别", "告警", "数值", "单位", "次数", "发生"]
    name, lines = read(tmp_path / "a.xlsx", workbook("告警 [今晚]: 红色", heads, cells))
    assert name == "告警  今晚   红色"
    assert lines[1] == ["I 红色", "道路积水", -0.41, "m", "3/4", datetime(2026, 11, 30, 2, 35)]
    assert lines[2] == ["", "=HYPERLINK(1)", "", "", "", ""], "a text, no formula"


@pytest.mark.parametrize(
    "text", ["a\x00\x0bb", "<&>\"'", "\ud800", "长" * 40_000, "  x  ", "_x0041_"]
)
def test_whatever_is_written_makes_a_sound_file(tmp_path: Path, text: str) -> None:
    _, lines = read(tmp_path / "a.xlsx", workbook(text, [text], [[text], [float("inf")], [None]]))
    told = str(lines[0][0])
    assert told == {"a\x00\x0bb": "ab", "\ud800": ""}.get(text, text[:32_767])
