"""The declared city: every stream in order, every check able to fail, frames that never crash."""

import math
import random
from pathlib import Path

import pytest

from catalog import checks
from catalog.frames import FrameError, decode, encode, frame_headers
from catalog.model import Placement, Source, Stream, ThresholdRule, levels, text
from catalog.registry import DeclarationError, load_stream, stream, streams
from catalog.scaffold import new_stream
from catalog.sensors import downstream, sensors
from catalog.site import site, stations
from tests.support.frames import START, noise_batch


@pytest.mark.parametrize("name", sorted(streams()))
def test_every_stream_is_in_order(name: str) -> None:
    assert checks.problems(stream(name)) == []


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (checks.known_domain, {"domain": "space"}),
        (checks.both_languages, {"title": text("Noise", "")}),
        (checks.silence_and_health_are_watched, {"rules": ()}),
        (checks.lateness_covers_cadence, {"lateness_s": 1}),
        (checks.sensors_placed, {"placement": Placement(per_district=1, districts=("9",))}),
        (checks.sensors_placed, {"placement": Placement(per_district=1, parent_stream="none")}),
    ],
)
def test_each_check_can_fail(check: checks.Check, change: dict[str, object]) -> None:
    good = stream("noise")
    assert list(check(good)) == []
    assert list(check(good.model_copy(update=change)))


def test_a_taken_name_no_limit_and_a_function_that_fails_are_found() -> None:
    noise = stream("noise")
    taken = noise.metrics[0].model_copy(update={"name": "observed_at"})
    assert list(checks.names_fit(noise.model_copy(update={"metrics": (taken,)})))
    for limits in ((), levels(blue=math.nan)):
        rule = ThresholdRule(
            name="high",
            title=text("高", "High"),
            metric="leq_db",
            op=">=",
            thresholds=limits,
            advice=text("查", "Look"),
        )
        assert list(checks.limits_are_numbers(noise.model_copy(update={"rules": (rule,)})))
    derived = stream("grid_frequency").derived[0]
    for wrong in (lambda c, at: c["none"], lambda c, at: 1.0):
        made = derived.model_copy(update={"by": wrong})
        assert list(checks.derived_compute(noise.model_copy(update={"derived": (made,)})))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cadence_s=30", "cadence=30", r"high_water.py:15: Stream cadence_s: Field required"),
        ("fail_span=(0, 200)", "fail_span=(200, 0)", r":23: Metric: level: fail_span must rise"),
        ("    HealthRule,\n", "", r":\d+: NameError: name 'HealthRule'"),
        ("metrics=(", "metrics=((", r":\d+: SyntaxError: '\(' was never closed"),
        ("STREAM =", "STRAEM =", "no STREAM = Stream"),
        ("cadence_s=30", "cadence_s=0", "greater than 0"),
        ("blue=", "amber=", r":\d+: ValueError: no warning level amber; there are red, orange"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    path = new_stream("high_water", "water", tmp_path)
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(DeclarationError, match=says):
        load_stream(path)


def again(good: Stream, **changed: object) -> Stream:
    """Declare a stream once more with something else in it, so that it is checked."""
    return Stream.model_validate({n: getattr(good, n) for n in Stream.model_fields} | changed)


@pytest.mark.parametrize(
    ("name", "part"), [("noise", "rules"), ("noise", "relations"), ("river_level", "attributes")]
)
def test_two_of_one_name_are_refused(name: str, part: str) -> None:
    """A second rule of one name answered for both: the advice of a leak read "the regulator"."""
    good = stream(name)
    first = getattr(good, part)[0]
    with pytest.raises(ValueError, match=f"{part.rstrip('s')} {first.name} is declared twice"):
        again(good, **{part: (*getattr(good, part), first)})


def test_two_stations_of_one_id_and_a_relation_named_like_a_test_are_refused() -> None:
    good = stream("waterlogging")
    first = stations("waterlogging")[0]
    twice = good.placement.model_copy(update={"stations": (first, first)})
    with pytest.raises(ValueError, match=f"station {first.id} is declared twice"):
        again(good, placement=twice)
    noise = stream("noise")
    spike = noise.relations[0].model_copy(update={"name": "spike"})
    with pytest.raises(ValueError, match="relation spike is declared twice"):
        again(noise, relations=(spike,))


def test_a_second_rule_of_one_name_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = new_stream("high_water", "water", tmp_path)
    source = path.read_text("utf-8")
    path.write_text(
        source.replace("        HealthRule(", "        HealthRule(name='silent'), HealthRule(", 1),
        "utf-8",
    )
    with pytest.raises(
        DeclarationError, match=r"high_water.py:\d+: .*rule silent is declared twice"
    ):
        load_stream(path)


def test_verified_without_a_clause_is_found() -> None:
    noise = stream("noise")
    metric = noise.metrics[0].model_copy(update={"source": Source(standard="X", verified=True)})
    assert list(checks.verified_is_cited(noise.model_copy(update={"metrics": (metric,)})))


def test_a_limit_that_quality_control_would_hide_is_found() -> None:
    """Gale red is 32.7 m/s: a fail span that ends at 30 would make it unreachable."""
    weather = stream("weather")
    wind = next(m for m in weather.metrics if m.name == "wind_m_s")
    narrow = wind.model_copy(update={"suspect_span": None, "fail_span": (0, 30)})
    metrics = tuple(narrow if m is wind else m for m in weather.metrics)
    found = list(checks.extremes_are_possible(weather.model_copy(update={"metrics": metrics})))
    assert found == ["rule gale: values past 32.7 are outside the fail span"]


def with_rule(name: str, rule: str, **changed: object) -> Stream:
    """Return a stream with one of its rules declared otherwise."""
    declared = stream(name)
    rules = tuple(r.model_copy(update=changed) if r.name == rule else r for r in declared.rules)
    return declared.model_copy(update={"rules": rules})


@pytest.mark.parametrize(
    ("name", "rule", "deadband", "wrong"),
    [
        ("waterlogging", "ponding", 0.03, 0),  # 27 and 30 cm are just so far apart
        ("waterlogging", "ponding", 0.031, 1),
        (
            "river_level",
            "flood",
            0.6,
            1,
        ),  # blue is half a metre below the gauge's own warning level
        ("air_quality", "pm25_day", 12.0, 0),  # 60 and 50 µg/m³ are never in force together
    ],
)
def test_a_deadband_wider_than_two_limits_are_apart_is_found(
    name: str, rule: str, deadband: float, wrong: int
) -> None:
    found = list(checks.deadband_fits(with_rule(name, rule, deadband=deadband)))
    assert bool(found) == bool(wrong), found
    assert not found or f"rule {rule}: a deadband of {deadband:g} is wider" in found[0]


def test_a_rule_on_a_mean_that_does_not_round_is_found() -> None:
    found = list(checks.what_is_computed_is_rounded(with_rule("noise", "day", decimals=None)))
    assert found == ["rule day: leq_20min is computed, give the rule decimals"]


def test_sensors_are_unique_and_stand_in_chengdu() -> None:
    placed = sensors()
    assert len({s.id for s in placed}) == len(placed) > 300
    assert {s.district for s in placed} == set(site().districts)
    for s in placed:
        assert 102.9 < s.lon < 105.0, s.id
        assert 30.0 < s.lat < 31.5, s.id
        assert s.street, s.id


def test_what_a_feeder_feeds_is_below_it() -> None:
    below = {s.stream for s in downstream("feeder-510104-01")}
    assert {"waterlogging", "water_supply"} <= below


def test_every_parent_exists() -> None:
    known = {s.id for s in sensors()}
    assert {s.parent for s in sensors() if s.parent} <= known


def test_bad_or_taken_stream_names_are_refused(tmp_path: object) -> None:
    for name in ("Noise", "1noise", "noise", "n"):
        with pytest.raises(ValueError, match=r"name|exists"):
            new_stream(name, "water")
    with pytest.raises(ValueError, match="domain"):
        new_stream("noise_site", "space")


def test_no_placement_is_found() -> None:
    assert Placement().stations == ()


def test_a_frame_survives_its_journey() -> None:
    batch = noise_batch([("n-1", 0, 50.5), ("n-2", 1, 51.5)])
    frame = decode("noise", encode(batch), frame_headers(stream("noise"), "test", START))
    assert frame.batch.equals(batch)
    assert (frame.received_at, frame.source) == (START, "test")


def test_damaged_frames_only_ever_give_a_frame_error() -> None:
    value = encode(noise_batch([(f"n-{i}", i, 50.0) for i in range(5)]))
    headers = frame_headers(stream("noise"), "test", START)
    dice = random.Random(7)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(value)
        for _ in range(dice.randrange(1, 6)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            decode("noise", bytes(damaged[: dice.randrange(1, len(damaged) + 1)]), headers)
        except FrameError:
            refused += 1
    assert refused > 1000
