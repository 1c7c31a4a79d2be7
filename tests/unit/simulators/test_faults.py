"""Faults do what their labels say, at their rates."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from catalog.frames import FrameError, decode, frame_headers
from catalog.registry import stream
from simulators.core.city import City
from simulators.core.fleet import US
from simulators.default import StreamSimulator
from simulators.faults import (
    MANY_FAULTS,
    NO_FAULTS,
    SMALL_FAULTS,
    Delivery,
    FaultRates,
    FaultyLine,
    parse_rates,
)
from simulators.live import POISON, LiveCity, Plan
from simulators.truth import Label, TruthFile, read_truth

START = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def delivered(
    rates: FaultRates, hours: float = 6.0, name: str = "noise"
) -> tuple[Delivery, Delivery]:
    """Return (faulty, faultless) deliveries of the same readings."""
    simulator, city = StreamSimulator(stream(name), 1), City(1)
    rows = simulator.fleet.due(int(START * US), int((START + hours * 3600) * US))
    lines = [FaultyLine(simulator, r, city.chance) for r in (rates, NO_FAULTS)]
    return lines[0].deliver(city, rows), lines[1].deliver(city, rows)


def by_key(delivery: Delivery) -> dict[tuple[str, float], list[dict[str, object]]]:
    found: dict[tuple[str, float], list[dict[str, object]]] = {}
    for row in delivery.batch.to_pylist():
        found.setdefault((row["sensor"], row["observed_at"].timestamp()), []).append(row)
    return found


def key(label: Label) -> tuple[str, float]:
    return label.sensor, label.at


def test_every_kind_comes_at_its_rate() -> None:
    faulty, clean = delivered(MANY_FAULTS)
    kinds = Counter(label.kind for label in faulty.labels)
    total = clean.batch.num_rows
    for kind in ("missing", "late", "duplicate", "out_of_order", "spike"):
        assert kinds[kind] / total == pytest.approx(getattr(MANY_FAULTS, kind), rel=0.35), kind


def test_missing_is_not_sent_and_the_rest_is() -> None:
    faulty, clean = delivered(FaultRates(missing=0.1))
    gone = {key(label) for label in faulty.labels}
    assert gone
    assert set(by_key(clean)) - set(by_key(faulty)) == gone


def test_duplicates_are_sent_twice_alike() -> None:
    faulty, _ = delivered(FaultRates(duplicate=0.05))
    twice = {k for k, rows in by_key(faulty).items() if len(rows) == 2}
    assert twice == {key(label) for label in faulty.labels}
    assert all(a == b for k, (a, *rest) in by_key(faulty).items() for b in rest if k in twice)


def test_late_and_out_of_order_come_when_told() -> None:
    faulty, _ = delivered(FaultRates(late=0.05, out_of_order=0.05))
    told = {key(t): t for t in faulty.labels}
    lateness = stream("noise").lateness_s
    assert any(t.beyond for t in told.values())
    assert any(t.kind == "late" and not t.beyond for t in told.values())
    for row, at in zip(faulty.batch.to_pylist(), faulty.arrives, strict=True):
        observed = row["observed_at"].timestamp()
        label = told.pop((row["sensor"], observed), None)
        delay = (label.delay_s or 0.0) if label else 0.0
        assert at == pytest.approx(observed + delay)
        assert not label or label.beyond == (delay > lateness)
    assert not told


def test_a_late_reading_is_called_late_where_its_sensor_is_ahead_of_it() -> None:
    faulty, _ = delivered(FaultRates(late=0.05, missing=0.02, out_of_order=0.02))
    came = list(zip(faulty.batch.to_pylist(), faulty.arrives, strict=True))
    beyond = [t for t in faulty.labels if t.kind == "late" and t.beyond]
    for t in beyond:
        there = t.at + (t.delay_s or 0.0)
        newest = max(
            (
                row["observed_at"].timestamp()
                for row, at in came
                if row["sensor"] == t.sensor and at < there
            ),
            default=t.at,
        )
        if there < START + 6 * 3600:
            assert (t.hidden == "") == (newest - t.at > stream("noise").lateness_s)
    assert {t.hidden for t in beyond} == {"", "in_time"}


def test_a_spike_that_the_span_would_cut_off_goes_the_other_way() -> None:
    faulty, clean = delivered(FaultRates(spike=0.01), hours=1.0, name="gas_detector")
    before, limits = by_key(clean), {m.name: m.spike for m in stream("gas_detector").metrics}
    assert {t.metric for t in faulty.labels} == set(limits)
    for t in faulty.labels:
        was, limit = before[key(t)][0][t.metric], limits[t.metric]
        assert isinstance(was, float)
        assert limit is not None
        assert t.value is not None
        assert not t.hidden
        assert abs(t.value - was) > limit[1]


def test_stuck_at_the_zero_that_is_the_rule_cannot_be_seen() -> None:
    faulty, _ = delivered(FaultRates(stuck=1.0), hours=36.0, name="waterlogging")
    assert {t.hidden for t in faulty.labels if t.value == 0} == {"zero"}
    assert all(t.shows_at == t.at + 21_600 for t in faulty.labels)


def test_spikes_change_one_value_past_the_failing_limit() -> None:
    faulty, clean = delivered(FaultRates(spike=0.01), name="water_supply")
    before, after = by_key(clean), by_key(faulty)
    assert faulty.labels
    changed = {k for k in before if before[k] != after[k]}
    assert changed == {key(label) for label in faulty.labels}
    limits = {m.name: m for m in stream("water_supply").metrics}
    jumps = []
    for t in faulty.labels:
        metric = limits[t.metric]
        assert metric.spike is not None
        was = before[key(t)][0][t.metric]
        assert after[key(t)][0][t.metric] == t.value
        assert isinstance(was, float)
        assert t.value is not None
        jumps.append(abs(t.value - was) > metric.spike[1])
    assert np.mean(jumps) > 0.8, "few are cut off by what the sensor can say"


def test_a_stuck_value_stays_for_its_span() -> None:
    faulty, clean = delivered(FaultRates(stuck=1.0), hours=24.0)
    before, after = by_key(clean), by_key(faulty)
    assert faulty.labels
    for t in faulty.labels:
        assert t.until is not None
        held = {
            rows[0][t.metric]
            for (sensor, at), rows in after.items()
            if sensor == t.sensor and t.at < at <= t.until
        }
        assert len(held) == 1
    spans = [(t.sensor, t.at, t.until or 0) for t in faulty.labels]
    for (sensor, at), rows in after.items():
        if not any(s == sensor and a < at <= b for s, a, b in spans):
            assert rows == before[sensor, at]


def test_poison_is_no_frame_and_comes_at_its_rate() -> None:
    live = LiveCity(Plan(names=("noise",), faults=FaultRates(poison=60)), START)
    labels = live.step(START + 3600, NOW)
    assert 35 <= len(live.poison) == len(labels) <= 90
    with pytest.raises(FrameError) as refused:
        decode("noise", POISON, frame_headers(stream("noise"), "t", NOW))
    assert refused.value.code == "arrow"


def test_no_faults_by_rate_zero() -> None:
    faulty, clean = delivered(NO_FAULTS)
    assert faulty.batch.equals(clean.batch)
    assert not faulty.labels


def test_truth_survives_a_second_run_without_doubles(tmp_path: Path) -> None:
    labels = [Label(kind="missing", stream="noise", sensor="a", at=1.5)]
    for _ in range(2):
        file = TruthFile(tmp_path / "t.jsonl")
        file.write(labels)
        file.close()
    assert list(read_truth(tmp_path / "t.jsonl")) == labels


def test_rates_from_the_command_line() -> None:
    rates = parse_rates("small", ["out-of-order=0.5", "stuck=3"])
    assert (rates.out_of_order, rates.stuck, rates.late) == (0.5, 3.0, SMALL_FAULTS.late)


@pytest.mark.parametrize(
    ("preset", "given"),
    [
        ("huge", []),
        ("small", ["rust=1"]),
        ("small", ["late"]),
        ("small", ["late=2"]),
        ("small", ["late=-1"]),
    ],
)
def test_wrong_rates_say_what_is_wrong(preset: str, given: list[str]) -> None:
    with pytest.raises(ValueError, match=r"choose one of|share of readings|a number"):
        parse_rates(preset, given)
