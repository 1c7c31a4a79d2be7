"""A labelled file through the truth command: read by its map, worked off, held against labels."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.errors import FatalError
from verify.__main__ import app
from verify.truth.labelled import score_map
from verify.truth.play import Episode
from verify.truth.score import score

HOUR_US = 3_600_000_000
MAP = """
title = "made up"
files = ["*.csv"]

[time]
columns = ["day", "hour"]
format = "%d/%m/%y %H"
zone = "America/Chicago"

[plain]
cadence_s = 3600
columns = ["P_*"]

[plain.metrics.level]
column = "L 1"
unit = "m"
span = [0, 10]

[labels]
column = "WRONG"
"""


def episode(raised_h: float, cleared_h: float | None) -> Episode:
    cleared = None if cleared_h is None else int(cleared_h * HOUR_US)
    return Episode("s.rule", "unusual", "a", int(raised_h * HOUR_US), cleared)


def test_an_episode_is_held_against_every_window() -> None:
    windows = [(10 * HOUR_US, 12 * HOUR_US), (30 * HOUR_US, 31 * HOUR_US)]
    episodes = [episode(9, 10), episode(11, 13), episode(20, 21), episode(40, None)]
    found = score("unusual", "x", 2, 4.0, windows, episodes)
    assert (found.seen, found.episodes, found.false) == (1, 4, 2)
    assert found.delay_h == 0
    assert (found.recall, found.precision) == (0.5, 0.5)
    assert found.false_per_day == 0.5
    assert found.per_month == 30.0


def test_an_open_episode_covers_what_comes_after_it() -> None:
    found = score("unusual", "x", 1, 1.0, [(5 * HOUR_US, 6 * HOUR_US)], [episode(5.5, None)])
    assert (found.seen, found.false, found.delay_h) == (1, 0, 0.5)


def write(folder: Path, rows: int = 48, spoilt: int | None = None) -> Path:
    lines = ["day,hour,P_1,P_2,L 1,WRONG"]
    for n in range(rows):
        level = 50 if n == spoilt else 3 + n % 5 / 10
        lines.append(f"{1 + n // 24:02}/07/16,{n % 24},{n % 7},{n % 3},{level},{int(30 <= n < 34)}")
    (folder / "a.csv").write_text("\n".join(lines))
    path = folder / "map.toml"
    path.write_text(MAP)
    return path


def test_a_plain_file_is_read_by_its_map(tmp_path: Path) -> None:
    found = score_map(write(tmp_path, spoilt=3), tmp_path)
    (doubt,) = found.doubts
    # three metrics of 48 readings, four of which lie within the label's window
    assert (doubt.sensors, doubt.quality.values) == (1, 3 * 44)
    assert (doubt.quality.failed, doubt.quality.tests) == (1, (("gross", 1),))
    assert all(s.windows == 1 for s in found.scores)


def test_what_is_wrong_with_a_map_is_said(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(MAP.replace("cadence_s", "cadence"))
    with pytest.raises(FatalError, match=r"plain\.cadence_s"):
        score_map(path, tmp_path)
    path.write_text(MAP.replace('"*.csv"', '"*.tsv"'))
    with pytest.raises(FatalError, match="no file"):
        score_map(path, tmp_path)


def test_the_command_tells_figures_as_json_and_as_text(tmp_path: Path) -> None:
    path = write(tmp_path)
    given = ["truth", "--map", str(path), "--data", str(tmp_path)]
    done = CliRunner().invoke(app, [*given, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["labelled"][0]["quality"][0]["values"] == 3 * 44
    done = CliRunner().invoke(app, given)
    assert "## Quality on sound data" in done.output


def test_without_data_it_says_where_it_looked_and_what_to_name(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["truth", "--no-city", "--data", str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert "nowhere: name its folder with --data" in " ".join(done.output.split())
