"""Vital signs: health is judged by progress."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from service.vitals import Vitals
from service.vitals_server import serve_vitals


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def vitals(clock: FakeClock) -> Vitals:
    return Vitals("sink", stall_s=30, clock=clock)


def test_a_process_is_unwell_until_it_is_ready(vitals: Vitals) -> None:
    assert not vitals.health().healthy
    assert vitals.health().reason == "starting"
    vitals.ready()
    assert vitals.health().healthy


def test_lag_without_progress_is_unwell(vitals: Vitals, clock: FakeClock) -> None:
    vitals.ready()
    vitals.lag(7)
    clock.seconds = 29
    assert vitals.health().healthy
    clock.seconds = 31
    health = vitals.health()
    assert not health.healthy
    assert "7 messages wait" in health.reason


def test_no_lag_means_no_stall_however_long_it_is_quiet(vitals: Vitals, clock: FakeClock) -> None:
    vitals.ready()
    vitals.lag(0)
    clock.seconds = 10_000
    assert vitals.health().healthy
    assert vitals.stalled_for() == 0


def test_what_comes_after_a_long_quiet_has_not_waited_for_so_long(
    vitals: Vitals, clock: FakeClock
) -> None:
    vitals.ready()
    vitals.lag(0)
    clock.seconds = 10_000
    vitals.lag(1)
    assert vitals.stalled_for() == 0
    clock.seconds += 12
    vitals.lag(3)
    assert vitals.stalled_for() == 12


def test_progress_ends_a_stall(vitals: Vitals, clock: FakeClock) -> None:
    vitals.ready()
    vitals.lag(7)
    clock.seconds = 40
    vitals.progress(5)
    assert vitals.health().healthy
    assert vitals.stalled_for() == 0


def test_rate_follows_the_rows_and_fades_when_idle(vitals: Vitals, clock: FakeClock) -> None:
    vitals.ready()
    for _ in range(60):
        clock.seconds += 1
        vitals.progress(100)
    rate = vitals.health().rows_per_s
    assert rate == pytest.approx(100, rel=0.05)
    clock.seconds += 60
    assert vitals.health().rows_per_s == 0
    assert vitals.health().rows_total == 6000


def test_newest_reading_never_steps_back(vitals: Vitals, clock: FakeClock) -> None:
    newest, older = clock.now(), clock.now() - timedelta(hours=1)
    vitals.progress(1, newest=newest)
    vitals.progress(1, newest=older)
    assert vitals.health().newest_observed_at == newest


def test_trouble_is_told_and_taken_back(vitals: Vitals) -> None:
    vitals.ready()
    vitals.trouble("database away")
    assert vitals.health().reason == "database away"
    vitals.trouble("")
    assert vitals.health().healthy


def test_health_and_metrics_are_served(vitals: Vitals, free_port: int) -> None:
    stop = serve_vitals(vitals, free_port)
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{free_port}/health", timeout=5)
        refused.value.close()
        assert refused.value.code == 503
        vitals.ready()
        vitals.detail(register="auto")
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/health", timeout=5) as answer:
            body = json.load(answer)
        assert body["healthy"] is True
        assert body["details"] == {"register": "auto"}
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=5) as answer:
            assert b"process_cpu_seconds_total" in answer.read()
    finally:
        stop()


def test_a_page_beside_them_answers_its_query(vitals: Vitals, free_port: int) -> None:
    def page(query: str) -> str:
        if query != "from=a":
            raise ValueError("from is no time")
        return "x,y\n"

    address = f"http://127.0.0.1:{free_port}/some.csv"
    stop = serve_vitals(vitals, free_port, {"/some.csv": page})
    try:
        with urllib.request.urlopen(f"{address}?from=a", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/csv")
            assert answer.read() == b"x,y\n"
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            urllib.request.urlopen(address, timeout=5)
        assert refused.value.read() == b"from is no time"
        refused.value.close()
    finally:
        stop()


def test_an_event_loop_that_does_not_turn_is_unhealthy(vitals: Vitals, clock: FakeClock) -> None:
    vitals.ready()
    clock.seconds = 100.0
    assert vitals.blocked_for() == 0.0  # it has none
    vitals.loop_turned()
    clock.seconds = 109.0
    assert vitals.health().healthy
    clock.seconds = 112.0
    assert vitals.health().reason == "its event loop has been blocked for 12 s"
    vitals.loop_turned()
    assert vitals.health().healthy
