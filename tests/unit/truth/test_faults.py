"""Injected faults through the engine, and a value that a spike interrupts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from catalog.contracts import FLAG_SUSPECT
from catalog.frames import readings_schema
from catalog.registry import stream
from engine.partition import PartitionEngine
from simulators.score import Score
from verify.truth.city import row
from verify.truth.faults import Play, score_play

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_the_faults_of_a_stream_are_found_and_nothing_else() -> None:
    found = {s.kind: s for s in score_play(replace(Play.of("noise", 3), passes=300))}
    assert set(found) == {"spike", "stuck", "late", "duplicate"}
    for s in found.values():
        assert s.made > 2, s.kind
        assert s.recall is not None
        assert s.precision is not None
        assert s.recall >= 0.95
        assert s.precision >= 0.95
    assert max(found["spike"].delays) < 4 * stream("noise").cadence_s
    assert min(found["stuck"].delays) >= 600 - stream("noise").cadence_s


def test_a_row_adds_up_streams() -> None:
    told = row("spike", Score("spike", 3, 2, 4, 3, 1, [5.0]), Score("spike", 1, 1, 0, 0, 0, [9.0]))
    assert (told["made"], told["found"], told["flagged"], told["cannot be seen"]) == (4, 3, 4, 1)
    assert (told["recall"], told["precision"], told["delay s"]) == (0.75, 0.75, 7)


def test_a_spike_does_not_end_that_a_value_stands_still() -> None:
    engine, schema = PartitionEngine(stream("noise")), readings_schema(stream("noise"))
    flat = []
    for n in range(30):
        value = 110.0 if n == 12 else 55.0
        at = NOW + timedelta(seconds=30 * n)
        columns = {"sensor": "a", "observed_at": at} | dict.fromkeys(schema.names[2:])
        columns |= {"leq_db": value}
        batch = pa.record_batch({n: [columns[n]] for n in schema.names}, schema=schema)
        flat += [f for f in engine.process(batch, NOW).flags if f[4] == "flat"]
    assert flat
    assert all(flag == FLAG_SUSPECT for *_, flag, _ in flat)
