"""Any sequence of moves: what is stored equals the log replayed, and a naive model of the table."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import RefusedError
from records.act import act, open_record, record_of
from records.loop import tick
from records.queries import get_record
from records.verify import verify_log, verify_states
from service.postgres import connect
from storage import audit
from tests.support.works_system import People, works_declared

NEXT = {
    ("new", "give"): "given",
    ("new", "hold"): "waiting",
    ("new", "remark"): "new",
    ("new", "force"): "closed",
    ("given", "mend"): "done",
    ("given", "hold"): "waiting",
    ("given", "longer"): "given",
    ("given", "remark"): "given",
    ("given", "force"): "closed",
    ("waiting", "resume"): "back",
    ("waiting", "force"): "closed",
    ("done", "again"): "given",
    ("done", "remark"): "done",
    ("done", "close"): "closed",
    ("done", "force"): "closed",
}
"""The table of legal moves, written down here a second time."""
MOVES = sorted({move for _, move in NEXT})
GIVEN: dict[str, dict[str, Any]] = {
    "give": {"args": {"firm": "north"}},
    "longer": {"args": {"hours": 2}},
    "hold": {"note": "no part"},
    "remark": {"note": "seen"},
    "force": {"reason": "refused", "note": "x"},
    "close": {"reason": "mended"},
}
STEPS = st.lists(
    st.tuples(st.sampled_from([*MOVES, "undo", "tick"]), st.integers(0, 36 * 3600)), max_size=14
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def people(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    with works_declared(monkeypatch), connect(dsn, "test", autocommit=True) as conn:
        yield People(conn)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(what=st.sampled_from(["lamp", "pump"]), steps=STEPS)
def test_the_log_replayed_is_the_state(
    people: People, what: str, steps: list[tuple[str, int]]
) -> None:
    id = open_record(people.chief(), "repair", {"what": what}).id
    history = [("new", "")]  # state, and the state that was left last
    last = ("open", people.clock.at)
    for move, pause_s in steps:
        now = people.clock.forward(seconds=pause_s)
        state, came_from = history[-1]
        if move == "tick":
            noted = tick(people.conn, people.clock)
            if noted:
                history.append(history[-1])
                last = ("overdue", now)
            continue
        if move == "undo":
            legal = last[0] == "give" and now - last[1] <= timedelta(seconds=600)
            expected = history[-2] if legal else history[-1]
        else:
            to = NEXT.get((state, move))
            legal = to is not None
            to = came_from if to == "back" else to
            expected = (to or state, state if to not in (None, state) else came_from)
        try:
            done = act(people.chief(), "repair", id, move, **GIVEN.get(move, {}))
        except RefusedError:
            assert not legal, (move, history)
        else:
            assert legal, (move, history)
            assert done.state == expected[0]
            history.append(expected)
            last = (move, now)
    row = get_record(people.conn, record_of("repair"), id)
    assert (row.state, row.came_from) == history[-1]
    assert verify_states(people.conn, "repair") == []
    people.conn.execute("UPDATE record_timers SET stopped_at = now() WHERE record = %s", [id])
    people.conn.execute("DELETE FROM record_timers WHERE record = %s", [id])
    people.conn.execute("UPDATE records SET kind = 'seen' WHERE id = %s", [id])


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    args=st.dictionaries(st.sampled_from(["what", "text", "lon", "lat", "photos", "x"]), JUNK),
    note=st.text(max_size=50),
    key=st.none() | st.text(max_size=20),
)
def test_whatever_is_sent_is_stored_whole_or_refused(
    people: People, args: dict[str, Any], note: str, key: str | None
) -> None:
    before = people.conn.execute("SELECT count(*) FROM record_log").fetchone()
    try:
        done = open_record(people.chief(), "repair", args, note=note, key=key)
    except RefusedError:
        assert people.conn.execute("SELECT count(*) FROM record_log").fetchone() == before
    else:
        assert get_record(people.conn, record_of("repair"), done.id).state == "new"


def test_the_chain_holds_after_all_that(people: People) -> None:
    for _ in range(5):
        open_record(people.chief(), "repair", {"what": "lamp"})
    assert verify_log(people.conn) == []
    assert audit.verify(people.conn).whole
