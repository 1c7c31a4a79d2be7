"""The simulated weather service: imperfect, worse with the lead, leaning at times, repeatable."""

from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.guidance import guidances
from catalog.site import site
from forecasts.fetch import Map, read_answer
from simulators.core.city import City
from simulators.guidance import EVERY_S, LEADS_H, LEAN_S, answer, issue, issues
from simulators.physics import weather

SEED = 3
START = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())


def test_errors_grow_with_the_lead_and_lean_at_times() -> None:
    made = issues(START, START + 42 * 86_400)
    at = np.array(made)[:, None] + 3600.0 * np.array(LEADS_H)
    true = weather.cloud(City(SEED), at) * 100
    off = np.stack([issue(SEED, issued)["cloud_pct"][0] for issued in made]) - true
    near, day, far = (np.abs(off[:, LEADS_H.index(h)]).mean() for h in (1, 24, 72))
    assert 0 < near < 0.7 * day < 0.7 * far
    temp = weather.temperature(City(SEED), np.zeros(1), np.zeros(1), at)
    lean = np.stack([issue(SEED, issued)["temp_c"][0] for issued in made]) - temp
    spans = [
        lean[np.array(made) // LEAN_S == s].mean() for s in sorted({m // LEAN_S for m in made})
    ]
    assert np.abs(spans).max() > 1.0, "some days are off to one side"
    assert np.median(np.abs(spans)) < 0.6, "most are not"


def test_the_same_is_said_again_and_read_as_declared() -> None:
    until = START + 12 * 3600.0
    said = answer(SEED, "from=2026-05-01T00:00:00Z", until)
    assert said == answer(SEED, "from=2026-05-01T00:00:00Z", until)
    read = read_answer(
        guidances()["weather"], Map(address="x"), said, datetime.fromtimestamp(until, UTC)
    )
    assert not read.refused
    assert {i.issued_at.timestamp() for i in read.issues} == {START + n * EVERY_S for n in range(3)}
    assert {i.place for i in read.issues} == {site().code, *site().districts}
    assert all(len(i.values) == len(LEADS_H) for i in read.issues)


def test_a_question_without_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        answer(SEED, "from=soon", float(START))
