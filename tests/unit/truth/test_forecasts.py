"""Forecasts and warnings of a labelled file, and what of them is said to be bad."""

from pathlib import Path

import numpy as np
import pytest

from verify.truth.forecasts import bad, score_forecasts
from verify.truth.report import Report

MAP = """
title = "made up"
files = ["*.csv"]
read = "mine.toml"
"""
READ = """
stream = "transformer"

[time]
columns = ["at"]

[[sensors]]
id = "{file}"

[sensors.metrics]
oil_temp_c = { column = "oil" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file of 24 days with a daily wave that now and then runs hot for some hours."""
    hours, rng = np.arange(24 * 24), np.random.default_rng(1)
    hot = np.convolve(rng.random(len(hours)) < 0.02, np.ones(8))[: len(hours)]
    oil = 50 + 10 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 1, len(hours)) + 6 * hot
    times = [f"2026-01-{1 + h // 24:02d} {h % 24:02d}:00:00" for h in hours]
    lines = [f"{at},{value:.2f}" for at, value in zip(times, oil, strict=True)]
    (tmp_path / "one.csv").write_text("\n".join(["at,oil", *lines]))
    (tmp_path / "truth.toml").write_text(MAP)
    (tmp_path / "mine.toml").write_text(READ)
    return tmp_path


def test_a_file_is_scored_per_lead_and_its_warnings_are_verified(folder: Path) -> None:
    rows, warnings = score_forecasts(folder / "truth.toml", folder, lambda _: None)
    assert [row["lead h"] for row in rows] == ["1", "3", "6", "24"]
    for row in rows:
        assert row["cases"] > 100
        assert 0 < row["MAE / day before"] < 1.1
        assert 0 < row["in 80 %"] < row["in 95 %"] <= 1
        assert row["pinball"] > 0
    (warned,) = warnings
    crossed = warned["came true"] + warned["missed"]
    assert crossed > 0
    assert warned["hit rate"] == pytest.approx(warned["came true"] / crossed)
    assert warned["state"] == "on trial", "too few to tell"
    page = Report(forecasts=rows, warnings=warnings).page()
    assert page.index("## Forecasts") < page.index("## Early warnings")


def test_what_misses_a_bar_is_said_in_words() -> None:
    row = {"data": "x", "lead h": "6", "worst / better naive": 1.0, "in 80 %": 0.8, "in 95 %": 0.95}
    assert list(bad([row])) == []
    (worse,) = bad([row | {"worst / better naive": 1.08}])
    assert "1.08 times as far" in worse
    wide, narrow = bad([row | {"in 80 %": 0.92, "in 95 %": 0.9}])
    assert "92.0%" in wide
    assert "90.0%" in narrow


def test_a_map_of_plain_columns_is_not_forecast(folder: Path) -> None:
    (folder / "truth.toml").write_text(
        'title = "x"\nfiles = ["*.csv"]\n[time]\ncolumns = ["at"]\nformat = "%Y-%m-%d %H:%M:%S"\n'
        'zone = "Asia/Shanghai"\n'
        '[plain]\ncadence_s = 3600\ncolumns = ["oil"]\n'
    )
    assert score_forecasts(folder / "truth.toml", folder, lambda _: None) == ([], [])
