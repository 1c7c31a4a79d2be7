"""The numpy engine and the plain reference agree on random logs of every declared stream."""

from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from catalog.registry import streams
from engine.partition import PartitionEngine
from tests.property.draws import leaps, logs
from tests.property.logs import run_engine, run_reference
from verify.oracle.compare import compare
from verify.oracle.outputs import Row, plain


@pytest.mark.parametrize("name", streams())
@given(data=st.data())
def test_windows_flags_and_transitions_are_those_of_the_reference(
    name: str, data: st.DataObject
) -> None:
    stream = streams()[name]
    some = st.one_of(logs(stream), leaps(stream))
    shard, log = data.draw(st.integers(0, 3)), data.draw(some)
    wanted = run_reference(stream, log, shard)
    found = run_engine(PartitionEngine(stream, shard), log)
    differences = [
        compare("windows", wanted.windows, found.windows),
        compare("flags", dict.fromkeys(wanted.flags), dict.fromkeys(found.flags)),
        compare(
            "transitions",
            {i: plain(t) for i, t in wanted.transitions.items()},
            found.transitions,
        ),
    ]
    for difference in differences:
        note(str(difference))
    assert not any(differences), "\n".join(str(d) for d in differences if d)
    assert found.words == wanted.words
    counted = (wanted.accepted, wanted.duplicates, wanted.late)
    assert counted == (found.accepted, found.duplicates, found.late)
    assert most_open(found.transitions.values(), {f"{name}.health", f"{name}.silent"}) <= 1


def most_open(transitions: Iterable[Row], rules: set[str]) -> int:
    """Return how many alerts of these rules were open on one sensor at the same time, at most."""
    now, most = defaultdict[str, set[str]](set), 0
    for t in transitions:
        if t["rule"] in rules:
            known = now[t["sensor"]]
            (known.add if t["kind"] == "raised" else known.discard)(t["episode"])
            most = max(most, len(known))
    return most
