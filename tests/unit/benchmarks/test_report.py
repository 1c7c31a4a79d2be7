"""The bench's figures: what is measured of a process, and how a record becomes table and chart."""

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.contenders import Result, middle_ones
from benchmarks.measure import Meter
from benchmarks.records import BATCH, START, batches
from benchmarks.report import chart, markdown, write_between

RECORD: dict[str, Any] = {
    "at": "2026-11-24T12:00:00+00:00",
    "machine": {"cores": 2, "cpu": "X", "python": "3.11", "load_before_and_after_each": [0.1, 2.0]},
    "sensors": 10_000,
    "results": [
        {
            **{"name": name, "kind": kind, "readings_per_s": rate, "latency_ms": {}},
            **{"cpu_s_per_million": {"sink": 2.5}, "peak_mb": {"sink": 130}},
        }
        for name, kind, rate in (("cityops", "end to end", 90_000), ("other <x>", "peer", 9_000))
    ],
}


def test_a_meter_sees_cpu_and_memory_of_a_process() -> None:
    with Meter({"this": os.getpid()}) as meter:
        sum(n * n for n in range(1_500_000))
    assert meter.costs["this"].cpu_s > 0
    assert meter.costs["this"].peak_mb > 10


def test_everybody_gets_the_same_readings_each_sensor_once_a_second() -> None:
    first, second = list(batches(BATCH + 7, 10)), list(batches(BATCH + 7, 10))
    assert first == second
    assert sum(batch.num_rows for batch in first) == BATCH + 7
    rows = [row for row in first[0].to_pylist() if row["sensor"] == "bench-000003"]
    assert [(row["observed_at"] - START).total_seconds() for row in rows[:3]] == [0, 1, 2]
    assert first[0].num_rows == len({(r["sensor"], r["observed_at"]) for r in first[0].to_pylist()})


def test_a_record_becomes_a_table_and_a_picture() -> None:
    words = markdown(RECORD)
    assert "| cityops | 90,000 | sink 2.5 | sink 130 | – |" in words
    assert "cityops is 10.00 × other <x>." in words
    picture = ElementTree.fromstring(chart(RECORD))
    texts = ["".join(item.itertext()) for item in picture.iter() if item.tag.endswith("text")]
    assert "other <x>" in texts and "90,000" in texts


def test_of_several_rounds_the_middle_one_is_told_with_the_others_beside_it() -> None:
    rounds = [Result("a", "peer", 100, s) for s in (1.0, 4.0, 2.0)] + [Result("b", "part", 9, 1.0)]
    a, b = middle_ones(rounds)
    assert (a.seconds, a.rounds_per_s, b.rounds_per_s) == (2.0, [100, 25, 50], [9])
    record = RECORD | {"results": [RECORD["results"][0] | {"rounds_per_s": [70_000, 95_000]}]}
    assert "| 90,000 (70,000–95,000) |" in markdown(record)


def test_a_page_is_renewed_between_its_marks_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n")
    write_between(page, "bench", "new")
    assert page.read_text() == "a\n<!-- bench -->\nnew\n<!-- /bench -->\nb\n"
    with pytest.raises(ValueError, match="has no <!-- other -->"):
        write_between(page, "other", "new")
