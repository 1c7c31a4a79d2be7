"""A normal day is quiet; a scenario raises what it announces and clears it: by the engine."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from catalog.contracts import Transition
from catalog.registry import stream, streams
from engine.partition import PartitionEngine
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.scenarios import scenarios
from simulators.faults import NO_FAULTS, SMALL_FAULTS, FaultRates
from simulators.forecast import Alarm, forecast
from simulators.live import LiveCity, Plan

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))
EVENING = datetime(2026, 11, 24, 19, 0, tzinfo=BEIJING).timestamp()
DAY_S = 86400.0
TOLERANCE_S = 60.0
FAST_S = 25
"""Of a stream so fast the evening's peak stands for the day."""


def transitions(
    start: float, until: float, names: tuple[str, ...], faults: FaultRates, *events: Event
) -> list[Transition]:
    """Return what the engine makes of the city's readings in (start, until] (epoch s)."""
    found: list[Transition] = []
    for name in names:
        engine = PartitionEngine(stream(name))
        live = LiveCity(Plan(names=(name,), faults=faults), start)
        live.take_up([*events])
        live.step(until, NOW)
        for waiting in live.waiting:
            found += engine.process(waiting.batch, NOW).transitions
    return found


def history_s(name: str) -> float:
    return min(DAY_S, max([600.0, *(float(r.window_s) for r in stream(name).rolling)]))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(streams()))
def test_a_normal_day_is_quiet(name: str) -> None:
    hours = 24.0 if streams()[name].cadence_s > FAST_S else 3.0
    start = EVENING - 2 * 3600
    happened = transitions(start, start + hours * 3600, (name,), SMALL_FAULTS)
    # stuck sensors are among the small faults: those are unwell and no alert of the city
    raised = [t for t in happened if t.kind == "raised" and not t.rule.endswith(".health")]
    assert len(raised) <= 1, Counter(t.rule for t in raised)
    assert all(t.severity > 1 for t in raised)


@pytest.mark.parametrize("name", [n for n, s in streams().items() if s.cadence_s > FAST_S])
def test_without_faults_no_sensor_is_unwell(name: str) -> None:
    happened = transitions(EVENING - 3 * 3600, EVENING, (name,), NO_FAULTS)
    assert not [t for t in happened if t.rule.endswith(".health")]


def affected(alarms: list[Alarm]) -> tuple[str, ...]:
    return tuple(sorted({a.rule.split(".")[0] for a in alarms}))


@pytest.mark.parametrize("name", list(scenarios()))
def test_a_scenario_raises_what_it_announces_and_clears_it(name: str) -> None:
    scenario = scenarios()[name]
    event = Event(
        id="x", name=name, start=EVENING, duration_s=scenario.duration_s, where=scenario.where
    )
    alarms = forecast(City(1, [event]), event.start, event.end + scenario.watch_s)
    assert alarms
    until = event.end + scenario.watch_s
    happened = [
        t
        for n in affected(alarms)
        for t in transitions(EVENING - history_s(n), until, (n,), NO_FAULTS, event)
    ]
    raised = {(t.rule, t.sensor): t for t in happened if t.kind == "raised"}
    cleared = {(t.rule, t.sensor): t for t in happened if t.kind == "cleared"}
    announced = {(a.rule, a.sensor): a for a in alarms}
    assert set(raised) == set(announced)
    for key, alarm in announced.items():
        at = raised[key].observed_at.timestamp()
        assert at == pytest.approx(alarm.raised, abs=TOLERANCE_S), key
        assert (key in cleared) == (alarm.cleared is not None), key
        if alarm.cleared is not None:
            over = cleared[key].observed_at.timestamp()
            assert over == pytest.approx(alarm.cleared, abs=TOLERANCE_S), key
    worst = {}
    for t in happened:
        if t.kind != "cleared":
            worst[t.rule, t.sensor] = min(t.severity, worst.get((t.rule, t.sensor), 9))
    assert worst == {key: int(a.severity) for key, a in announced.items()}


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("rainstorm", {"waterlogging.ponding", "weather.rain_3h", "traffic_link.congestion"}),
        ("heatwave", {"weather.heat", "transformer.load", "transformer.oil_temp"}),
        ("feeder_trip", {"feeder.trip", "water_supply.pressure_low", "traffic_flow.standstill"}),
        ("pipe_burst", {"water_supply.pressure_low", "water_supply.turbidity"}),
        ("pollution", {"air_quality.aqi"}),
        ("gas_leak", {"gas_well.methane", "gas_station.outlet_low"}),
    ],
)
@pytest.mark.parametrize("hour", [3, 15])
def test_a_scenario_works_at_any_hour(name: str, rules: set[str], hour: int) -> None:
    scenario, start = scenarios()[name], EVENING + (hour - 19) * 3600
    event = Event(
        id="x", name=name, start=start, duration_s=scenario.duration_s, where=scenario.where
    )
    alarms = forecast(City(1, [event]), start, event.end + scenario.watch_s)
    if name == "heatwave":
        # at night there is no load to push; oil needs the evening's
        rules = rules - {"transformer.oil_temp"} - ({"transformer.load"} if hour < 6 else set())
    assert rules <= {a.rule for a in alarms}


def test_called_off_a_scenario_returns_to_normal() -> None:
    event = Event(id="x", name="rainstorm", start=EVENING, duration_s=600)
    off = Event(id="x", name="rainstorm", start=EVENING, duration_s=600, cancelled_at=EVENING + 60)
    until = EVENING + 1800
    assert len(forecast(City(1, [event]), EVENING, until)) > 10
    assert len(forecast(City(1, [off]), EVENING, until)) <= 2
