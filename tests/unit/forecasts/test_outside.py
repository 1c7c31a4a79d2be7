"""Files of others: how their times, columns and steps are read, and what is told of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from catalog.errors import ContractError
from forecasts.__main__ import app
from forecasts.outside import plan_of, read_csv, specs

DAYS = 24


def _write(folder: Path, values: np.ndarray, name: str = "any.csv") -> Path:
    lines = ["when,a,flag"]
    for hour, value in enumerate(values):
        lines.append(f"2026-01-{1 + hour // 24:02d} {hour % 24:02d}:00:00,{value:.3f},1")
    file = folder / name
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def _wave() -> np.ndarray:
    hours = np.arange(DAYS * 24)
    noise = np.random.default_rng(1).normal(0, 1, len(hours))
    return 20 + 5 * np.sin(2 * np.pi * hours / 24) + noise


def test_a_file_without_a_map_is_read_by_what_it_looks_like(tmp_path: Path) -> None:
    outside = read_csv(_write(tmp_path, _wave()), None)
    assert outside.step_s == 3600
    assert [column.name for column in outside.columns] == ["a"], "a constant is no series"
    assert len(outside.columns[0].values) == DAYS * 24


def test_the_logarithm_is_chosen_by_the_part_before_the_first_origin(tmp_path: Path) -> None:
    heavy = np.exp(np.random.default_rng(2).normal(1, 1, DAYS * 24))
    outside = read_csv(_write(tmp_path, heavy), None)
    plan = plan_of(outside, None, None)
    assert specs(outside, plan, 0).log
    plain = read_csv(_write(tmp_path, _wave(), "plain.csv"), None)
    assert not specs(plain, plan, 0).log


def test_a_file_without_times_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("a,b\n1,2\n2,3\n", encoding="utf-8")
    with pytest.raises(ContractError, match="--map"):
        read_csv(file, None)


def test_the_command_prints_scores_per_lead(tmp_path: Path) -> None:
    file = _write(tmp_path, _wave())
    result = CliRunner().invoke(app, ["backtest", "--csv", str(file), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert [row["lead_h"] for row in said["all"]] == [1, 3, 6, 24]
    assert said["all"][0]["gain_on_seasonal"] > 0
    text = CliRunner().invoke(app, ["backtest", "--csv", str(file)]).output
    assert "in 80 %" in text
