"""Minutes as they are published, and declarations of facts that are not in order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.contracts import aggregates_schema
from catalog.fact import checks
from catalog.fact.model import Fact, Tally
from catalog.frames import readings_schema
from catalog.registry import facts, stream
from catalog.topics import aggregates_topic, readings_topic
from storage.facts.publish import Minute, messages, readings, windows

FACT, GANTRY = facts()["gantry_passage"], stream("gantry")
AT = datetime(2026, 11, 24, 4, 7, tzinfo=UTC)
TALLIES: dict[str, int | None] = {str(t.name): 0 for t in FACT.tallies}
BUSY = TALLIES | {"passages": 20, "charged": 18, "failed": 2, "plates_read": 19, "fee_fen": 7001}


def test_a_minute_is_a_window_of_one_reading_with_what_is_derived_of_it() -> None:
    quiet = Minute("gantry-02", AT, 3, TALLIES | {"lag_p95_s": None})
    batch = windows(GANTRY, [Minute("gantry-01", AT, 1, BUSY), quiet])
    assert batch.schema == aggregates_schema(GANTRY)
    one, other = batch.to_pylist()
    assert (one["fee_fen_sum"], one["fee_fen_n"], one["fee_yuan_last"]) == (7001.0, 1, 70.01)
    assert (one["success_pct_max"], one["capture_pct_min"]) == (90.0, 95.0)
    assert (other["revision"], other["passages_sum"], other["passages_used"]) == (3, 0.0, 1)
    # a rate of nothing is no rate
    assert (other["success_pct_n"], other["success_pct_sum"], other["lag_p95_s_sum"]) == (
        0,
        None,
        None,
    )


def test_only_the_first_telling_is_a_reading() -> None:
    told = [
        Minute("gantry-01", AT, 2, BUSY),
        Minute("gantry-01", AT + timedelta(minutes=1), 1, BUSY),
    ]
    sent = [topic for topic, _, _ in messages(GANTRY, "p", told, AT)]
    assert sent == [readings_topic("p", "gantry"), aggregates_topic("p", "gantry")]
    assert [t for t, _, _ in messages(GANTRY, "p", told[:1], AT)] == sent[1:]
    batch = readings(GANTRY, told[1:])
    assert batch.schema == readings_schema(GANTRY)
    assert batch.column("observed_at").to_pylist() == [AT + timedelta(minutes=1)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tallies": (Tally(name="n", of="fee_fen"),)}, "a count is of nothing"),
        ({"tallies": (Tally(name="n", kind="sum"),)}, "a count is of nothing"),
        ({"tallies": (Tally(name="n", kind="sum", of="colour"),)}, "no measure colour"),
        ({"tallies": (Tally(name="n", where={"medium": ("cash",)}),)}, "never cash"),
        ({"tallies": (Tally(name="n", odd="blue"),)}, "no oddity blue"),
        ({"tallies": (Tally(name="n"), Tally(name="n"))}, "declared twice"),
        ({"keep_days": 3}, "a day beyond"),
    ],
)
def test_a_fact_that_contradicts_itself_is_refused(change: Any, words: str) -> None:
    given = {name: getattr(FACT, name) for name in Fact.model_fields}
    with pytest.raises(ValueError, match=words):
        Fact(**given | change)


def test_the_stream_of_a_fact_measures_its_tallies() -> None:
    assert not list(checks.minutes_are_the_stream(FACT))
    shorter = FACT.model_copy(update={"tallies": FACT.tallies[:-1]})
    assert any("the tallies are" in w for w in checks.minutes_are_the_stream(shorter))
    other = FACT.model_copy(update={"stream": "air_quality"})
    words = " ".join(checks.minutes_are_the_stream(other))
    assert "the tallies are" in words and "sliding" in words
