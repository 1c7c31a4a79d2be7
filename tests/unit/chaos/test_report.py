"""The report of a chaos run: its tables, their order, and their way into a page."""

from pathlib import Path

from verify.chaos.report import Report, publish
from verify.chaos.run import Outcome
from verify.chaos.seen import Seen, p99


def test_the_tables_of_a_run_go_into_a_page_in_the_order_of_the_rows(tmp_path: Path) -> None:
    report = Report(seed=7, issued={"readings accepted": 12345})
    report.add(Outcome(["cut the database's connections"], [0.5], [1.5], [{}]))
    report.add(Outcome(["kill gateway 10 times"], [0.1], [0.2], [{"requests cut": 10}], ["gone"]))
    report.controls = {"no_key": ["sink: 3 extra\n  more"], "no_fence": []}
    report.write(tmp_path)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- chaos -->\nold\n<!-- /chaos -->\nafter\n")
    publish(tmp_path / "chaos.json", page)
    text = page.read_text()
    assert text.startswith("before\n<!-- chaos -->\nSeed 7") and text.endswith("after\n")
    assert "old" not in text and "**broken**" in text and "12 345 readings accepted" in text
    first, second, *_ = (line for line in text.splitlines() if line.endswith(("kept |", "n** |")))
    assert first == "| 1 | kill gateway 10 times | 0.1 | 0.2 | requests cut 10 | **broken** |"
    assert second == "| 9 | cut the database's connections | 0.5 | 1.5 | – | kept |"
    assert "| `no_key` | sink: 3 extra |" in text and "| `no_fence` | **not noticed** |" in text


def test_a_figure_out_of_its_limits_is_wrong() -> None:
    seen = Seen()
    seen.must("503 meanwhile", 2)
    seen.must("202 meanwhile", 1, 0, 0)
    assert seen.figures == {"503 meanwhile": 2, "202 meanwhile": 1}
    assert seen.wrong == ["202 meanwhile: 1, must be 0 to 0"]
    assert (p99([]), p99([float(n) for n in range(1, 101)])) == (0.0, 99.0)
