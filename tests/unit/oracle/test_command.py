"""`make judge` says every hop, and ends with what an operator's script can go by."""

import pytest
from typer.testing import CliRunner

from verify.oracle.__main__ import app
from verify.oracle.compare import Difference, compare
from verify.oracle.judge import Judge


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Difference]:
    """Hops that the judge compares; nothing is asked of a platform."""
    hops = [compare("sink: readings in the tables", {1: 5.0}, {1: 5.0})]
    monkeypatch.setattr(Judge, "cut", lambda self: "")
    monkeypatch.setattr(Judge, "settle", lambda self, deadline_s: None)
    monkeypatch.setattr(Judge, "hops", lambda self: hops)
    return hops


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, done.output


def test_a_platform_that_is_right_gives_zero(judged: list[Difference]) -> None:
    assert run() == (0, "✓ sink: readings in the tables: 1, all as they must be\n")


def test_a_hop_that_is_wrong_gives_one_and_its_first_differences(judged: list[Difference]) -> None:
    judged.append(compare("keep: rollups of 1h", {"a": {"n": 3}, "b": {"n": 1}}, {"a": {"n": 4}}))
    code, said = run("--stream", "noise")
    assert code == 1
    assert "✗ keep: rollups of 1h: 2 expected, 1 missing, 0 extra, 1 different" in said
    assert "missing b" in said
    assert "n: expected 3, found 4" in said


def test_what_does_not_arrive_gives_one(
    judged: list[Difference], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Judge, deadline_s: float) -> None:
        raise TimeoutError(f"not settled after {deadline_s:.0f} s: sink has not stored it")

    monkeypatch.setattr(Judge, "settle", never)
    code, said = run("--wait-s", "1")
    assert (code, "✗ not settled after 1 s: sink has not stored it" in said) == (1, True)


def test_a_log_without_its_beginning_gives_two(
    judged: list[Difference], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Judge, "cut", lambda self: "city.readings.noise.v1/0")
    code, said = run()
    assert (code, "dropped the beginning of city.readings.noise.v1/0" in said) == (2, True)


def test_a_stream_that_is_none_is_refused() -> None:
    code, said = run("--stream", "nope")
    assert (code, "no stream nope" in said) == (2, True)
