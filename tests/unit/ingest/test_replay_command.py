"""``replay --check`` says how a file is read and sends nothing; exit codes say how it went."""

from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.__main__ import app
from ingest.replay.sender import GatewaySender
from tests.unit.ingest.files import CLOCK, noise_map

GOOD = "2015-09-01 11:25:00;50,5;1\n2015-09-01 11:30:00;131;1\n"
BAD = "soon;50,5;1\n2015-09-01 11:35:00;n/a;1\n2999-09-01 11:35:00;51;1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    noise_map(
        tmp_path,
        CLOCK,
        top='decimal = ","',
        columns=("时间",),
        value='{ column = "噪声" }',
        sensor="{file}",
    )
    return tmp_path


def replay(folder: Path, text: str, *options: str) -> Result:
    (folder / "f.csv").write_text("站点;A\n时间;噪声;x\n" + text, encoding="gb18030")
    file, plan = str(folder / "f.csv"), str(folder / "map.toml")
    return CliRunner().invoke(app, ["replay", file, "--stream", "noise", "--map", plan, *options])


def test_a_check_says_how_the_file_is_read(folder: Path) -> None:
    result = replay(folder, GOOD + BAD, "--check", "--rejects", str(folder / "bad.csv"))
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "file: GB18030 (it is not UTF-8), separated by ';', rows from line 3",
        "columns: 噪声, 时间; not used: x",
        "time: %Y-%m-%d %H:%M:%S in Asia/Shanghai",
        "  line 3: 2015-09-01 11:25:00 is 2015-09-01T03:25:00Z",
        "  from 2015-09-01T03:25:00Z to 2999-09-01T03:35:00Z, oldest first",
        "rows: 5: 2 good, 3 bad, 0 left out",
        "readings: 2 of 1 sensor (f)",
        "  leq_db: 2 values, 50.5 to 131 dB(A); 1 outside 20 to 130",
        "  future: 1 (line 7)",
        "    observed_at: 2999-09-01 03:35 lies ahead",
        "  no_metric: 1 (line 6)",
        "    *: every value of this reading is missing",
        "  time: 1 (line 5)",
        "    observed_at: time data 'soon' does not match format '%Y-%m-%d %H:%M:%S'",
        "nothing was sent",
    ]
    assert [r.split(",")[0] for r in (folder / "bad.csv").read_text().splitlines()[1:]] == [*"567"]
    assert not (folder / "state").exists()


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (GOOD, (), 0),
        (GOOD, ("--strict",), 0),
        (GOOD + BAD, ("--strict",), 3),
        (GOOD.replace(":", "."), (), 1),
        ("2015-09-01 11:25:00;x;\n", (), 1),
        (GOOD, ("--speed", "0"), 2),
    ],
)
def test_exit_codes_of_a_check(
    folder: Path, text: str, options: tuple[str, ...], code: int
) -> None:
    assert replay(folder, text, "--check", *options).exit_code == code


def test_a_check_finds_ids_that_the_gateway_refuses(folder: Path) -> None:
    result = replay(folder, GOOD, "--check", "--sensor", "站 1")
    assert result.exit_code == 1
    assert "sensor: 2 (line 3, 4)" in result.output


def test_a_shifted_file_has_no_future(folder: Path) -> None:
    result = replay(folder, BAD, "--check", "--shift-to-now", "--at-once")
    assert "future" not in result.output


def test_a_gateway_that_stays_away_has_a_code_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYOPS_GATEWAY", "http://127.0.0.1:9")
    monkeypatch.setenv("CITYOPS_API_KEY", "k")
    impatient = partial(GatewaySender, patience_s=0.0)
    monkeypatch.setattr("ingest.replay.command.GatewaySender", impatient)
    result = replay(folder, GOOD, "--at-once")
    assert result.exit_code == 4, result.output
    assert "run again to resume" in result.output


def test_newest_first_has_no_pace(folder: Path) -> None:
    newest_first = "".join(reversed(GOOD.splitlines(keepends=True)))
    result = replay(folder, newest_first)
    assert result.exit_code == 1
    assert "its newest row comes first: sort it, or use --at-once" in result.output


def test_help_has_examples_and_exit_codes(folder: Path) -> None:
    result = CliRunner().invoke(app, ["replay", "--help"])
    assert "--check" in result.output
    assert "noise.xlsx --stream noise --map noise.toml --check" in result.output
    assert "Exit codes" in result.output
