"""What happens at things reaches the platform when its uploads arrive, also in a made-up past."""

from datetime import UTC, datetime

from simulators.core.city import City
from simulators.facts import TOGETHER_S, LiveFacts

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC).timestamp()
HOUR_S = 3600.0


def test_a_past_hour_is_received_when_it_was_uploaded_not_all_at_its_end() -> None:
    facts, city = LiveFacts(), City(1, [])
    end = datetime.fromtimestamp(START + HOUR_S, UTC)
    facts.step(city, START, START + HOUR_S, end)
    received = [(at - row["at"]).total_seconds() for _, rows, at in facts.waiting for row in rows]
    assert len(received) > 100
    assert all(at <= end for _, _, at in facts.waiting)
    late = sorted(received)[int(0.9 * len(received))]
    assert late < 60 + TOGETHER_S, "a gantry's upload takes seconds"
