"""Golden cases of what is set for single sensors; the reference and the engine must agree."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.declared import DeclarationError
from catalog.overrides import Override, SiteOverride, mistake, read_overrides
from catalog.registry import stream
from engine.partition import PartitionEngine
from tests.cases.story import flags, live, readings, tell
from tests.property.logs import START, Log, feed, run_engine

HOUR = 3600
SUPPLY = stream("water_supply")
MAIN = [(n * 30, 0.9 + n % 2 / 100) for n in range(1, 9)]
"""A main at 0.9 MPa, where up to 0.7 is expected."""


def main(*log: Override, metric: str = "pressure_mpa") -> Log:
    """Return readings of the main with overrides set after 75 s, each before the next reading."""
    sent = readings("main", metric, *MAIN)
    return [*sent[:2], *log, *sent[2:]]


def over(revision: int = 1, sensor: str = "main", **given: object) -> Override:
    """Return an override of the main's pressure."""
    told = {"revision": revision, "sensor": sensor, "metric": "pressure_mpa"} | given
    return Override(**told)  # type: ignore[arg-type]


def odd(log: Log) -> list[int]:
    """Return when (s) the main's pressure was outside what is plausible."""
    return [at for at, _, test, _ in flags("water_supply", log) if test == "gross"]


WIDE, EVERY = (0.0, 1.2), [at for at, _ in MAIN]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ([over(span=WIDE)], EVERY[:2]),
        ([over(span=WIDE, sensor="other")], EVERY),
        ([over(2, span=WIDE), over(1, span=(0.0, 0.1))], EVERY[:2]),
        ([over(span=WIDE), over(2)], EVERY),
        ([over(span=WIDE, metric="nothing")], EVERY),
    ],
    ids=["set", "of another sensor", "an older one comes late", "taken back", "of no metric"],
)
def test_a_span_of_one_sensor_holds_from_its_record_on(
    said: Sequence[Override], seen: list[int]
) -> None:
    assert odd(main(*said)) == seen


def test_a_span_ends_by_a_tick() -> None:
    log = live(main(), until=250)
    given = over(span=WIDE, until=START + 150)
    # the reading of 150 s comes after the tick that ends it
    assert odd([given, *log]) == [at for at in EVERY if at >= 150]


def test_how_well_the_span_before_fitted_is_forgotten() -> None:
    """After 12 readings outside it a span doubts nothing; another span begins anew."""
    sent = readings("main", "pressure_mpa", *((n * 30, 0.9 + n % 2 / 100) for n in range(40)))
    assert odd([*sent[:20], over(span=(0.0, 0.8)), *sent[20:]]) == [
        n * 30 for n in (*range(12), *range(20, 32))
    ]


def test_a_value_at_its_floor_is_not_stuck() -> None:
    """Ozone at its limit of detection, hour by hour: stuck, unless that is known."""
    sent = readings("a", "o3", *((n * HOUR, 2.0) for n in range(20)))
    floor = Override(revision=1, sensor="a", metric="o3", floor=2.0)
    assert [f for f in flags("air_quality", sent) if f[2] == "flat"]
    assert not flags("air_quality", [floor, *sent])


def test_a_change_by_one_step_of_the_sensor_is_no_jump() -> None:
    """A gauge that shows half megapascals: 0.15 is a jump otherwise."""
    sent = readings("main", "pressure_mpa", (0, 0.5), (30, 0.5), (60, 0.3), (90, 0.5))
    assert {test for _, _, test, _ in flags("water_supply", sent)} >= {"jump", "spike"}
    assert not flags("water_supply", [over(resolution=0.25), *sent])


def test_no_spread_is_smaller_than_a_step() -> None:
    """Slower by 4 km/h is far off what is usual, but two steps of a detector that shows twos."""
    rows = [(n * HOUR, 50 + n % 2 / 10 - 4 * (n >= 60)) for n in range(64)]
    sent = readings("lane", "speed_km_h", *rows)
    steps = Override(revision=1, sensor="lane", metric="speed_km_h", resolution=2.0)
    rule = ("traffic_flow", "traffic_flow.unusually_slow")
    assert [kind for kind, *_ in tell(*rule, sent)] == ["raised"]
    assert tell(*rule, [steps, *sent]) == []


def test_what_is_set_outlives_a_restart() -> None:
    log = main(over(span=WIDE, until=START + 10**6))
    whole, first, second = (PartitionEngine(SUPPLY) for _ in range(3))
    seen = run_engine(whole, log)
    run_engine(first, log[:4])
    second.restore(first.snapshot())
    for record in log[4:]:
        feed(second, record)
    assert second.snapshot() == whole.snapshot()
    assert second.knows(over(span=WIDE)) and not second.knows(over(2))
    assert len(seen.flags) == 2


SITE = (
    "from catalog.overrides import SiteOverride\n"
    "OVERRIDES = (SiteOverride(metric='pressure_mpa', sensor={sensor!r}, span=(0.0, {high}),"
    " author='water works', reason='the high zone'),)\n"
)


@pytest.mark.parametrize(("sensor", "seen"), [("", []), ("main", []), ("other", EVERY)])
def test_a_site_sets_spans_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sensor: str, seen: list[int]
) -> None:
    file = tmp_path / "water_supply.py"
    file.write_text(SITE.format(sensor=sensor, high=1.2))
    found = read_overrides(file, SUPPLY)
    for place in ("engine.state", "verify.oracle.overrides"):
        monkeypatch.setattr(f"{place}.site_overrides", lambda _: found)
    assert odd(main()) == seen
    # what a person sets stands above it, until it is taken back
    assert odd(main(over(span=(0.0, 0.1)), over(2))) == seen
    assert odd(main(over(span=(0.0, 0.1)))) == sorted({*seen, *EVERY[2:]})


def test_a_site_that_sets_nonsense_is_told_where(tmp_path: Path) -> None:
    file = tmp_path / "water_supply.py"
    file.write_text(SITE.format(sensor="", high=9.0))
    with pytest.raises(DeclarationError, match=r"within 0 … 1\.6"):
        read_overrides(file, SUPPLY)
    with pytest.raises(ValueError, match="who set it"):
        SiteOverride(metric="pressure_mpa", floor=0.1, author="", reason="x")


def test_what_cannot_be_set_is_refused_with_the_reason() -> None:
    pressure = next(m for m in SUPPLY.metrics if m.name == "pressure_mpa")
    opened = next(m for m in stream("cover").metrics if m.is_named)
    assert mistake(pressure, (0.1, 0.9), 0.0, 0.01) == ""
    for given, said in (
        ((None, None, None), "nothing is set"),
        (((0.9, 0.1), None, None), "must rise"),
        (((0.0, 2.0), None, None), "within"),
        (((0.0, float("nan")), None, None), "finite"),
        ((None, -1.0, None), "floor"),
        ((None, None, 0.0), "above zero"),
    ):
        assert said in mistake(pressure, *given)
    assert "names" in mistake(opened, (0.0, 1.0), None, None)
