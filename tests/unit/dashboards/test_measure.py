"""The table of measured queries goes into the docs by command."""

import re

import pytest

from dashboards.build import pages
from dashboards.measure import BEGIN, END, RANGES, Measured, renewed, table
from deploy.paths import ROOT


def test_a_page_of_docs_gets_the_new_table_and_keeps_the_rest() -> None:
    page = f"above\n\n{BEGIN}\nold\n{END}\n\nbelow\n"
    assert renewed(page, ["| new |"]) == f"above\n\n{BEGIN}\n| new |\n{END}\n\nbelow\n"
    with pytest.raises(ValueError, match="no place for the table"):
        renewed("no marks here", ["| new |"])


def test_the_docs_measure_pages_that_exist() -> None:
    text = (ROOT / "docs/dashboards.md").read_text()
    measured = text.partition(BEGIN)[2].partition(END)[0]
    named = set(re.findall(r"^\| (.*?) \(`([a-z0-9-]+)`\) \| (.*?) \|", measured, re.MULTILINE))
    assert len(named) > 20
    assert named <= {(page.title, page.uid, page.question) for page in pages("en")}


def test_a_row_tells_p95_and_the_slowest() -> None:
    runs = {length: [1.0, 2.0, 3.0] for length in RANGES}
    slowest: dict[str, tuple[float, str]] = dict.fromkeys(RANGES, (7.4, "Map"))
    one = Measured(pages("en")[0], 12, 16, runs, slowest)
    assert list(table([one]))[2].endswith("| 12 | 16 | 3 ms | 3 ms | 3 ms | Map: 7 ms |")
