"""The one write path: what a step does, and everything that it refuses."""

from datetime import timedelta

import pytest
from psycopg import Connection
from psycopg.errors import RaiseException

from catalog.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from records.act import act, act_many, open_record, record_of
from records.queries import get_page, get_record
from records.verify import verify_log, verify_states
from storage import audit
from tests.support.works_system import NOW, People

LAMP = {"what": "lamp", "text": "dark since yesterday", "lon": 104.066, "lat": 30.657}


def opened(people: People, **more: object) -> int:
    return open_record(people.desk(), "repair", {**LAMP, **more}).id


def page(conn: Connection, id: int):  # noqa: ANN201
    return get_page(conn, record_of("repair"), id)


def sound(conn: Connection) -> None:
    """State equals log replayed, and the audit vouches for every step."""
    assert verify_states(conn, "repair") == []
    assert verify_log(conn) == []
    assert audit.verify(conn).whole


def test_a_repair_goes_its_way_and_every_step_is_written(people: People, conn: Connection) -> None:
    id = opened(people)
    people.clock.forward(hours=1)
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    people.clock.forward(hours=3)
    act(people.firm("north"), "repair", id, "mend", {"hours": 1.5})
    act(people.desk(), "repair", id, "close", reason="mended", note="thanks")
    found = page(conn, id)
    assert (found.record.state, found.record.version) == ("closed", 4)
    assert found.record.close_reason == "mended"
    assert found.record.district == "510105"  # found by the place
    steps = [(e.version, e.actor, e.role, e.move, e.from_state, e.to_state) for e in found.log]
    assert steps == [
        (1, "wang", "desk", "open", "", "new"),
        (2, "wang", "desk", "give", "new", "given"),
        (3, "firm-north", "firm", "mend", "given", "done"),
        (4, "wang", "desk", "close", "done", "closed"),
    ]
    assert found.log[1].changes == {"firm": "north"}
    said = audit.entries(conn, search=f"repair-{id}")
    assert [entry.what for entry in reversed(said)] == [f"repair.{step[3]}" for step in steps]
    assert conn.execute("SELECT count(*) FROM record_events").fetchone() == (4,)
    sound(conn)


@pytest.mark.parametrize("move", ["mend", "again", "close", "resume"])
def test_a_move_that_the_state_does_not_allow_is_refused(
    people: People, conn: Connection, move: str
) -> None:
    id = opened(people)
    with pytest.raises(ConflictError, match="not possible in state new; possible: give, hold"):
        act(people.desk(), "repair", id, move, reason="mended")
    assert page(conn, id).record.version == 1


def test_roles_and_their_scopes_are_checked(people: People) -> None:
    id = opened(people)
    with pytest.raises(ForbiddenError):
        act(people.viewer(), "repair", id, "give", {"firm": "north"})
    with pytest.raises(ForbiddenError):  # a firm that the record was not given to
        act(people.firm("north"), "repair", id, "remark", note="x")
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    with pytest.raises(ForbiddenError):
        act(people.firm("south"), "repair", id, "mend")
    with pytest.raises(ForbiddenError):
        act(people.desk(), "repair", id, "longer", {"hours": 5})
    with pytest.raises(ForbiddenError):
        act(people.desk(), "repair", id, "force", reason="refused", note="x")
    with pytest.raises(ForbiddenError):
        open_record(people.viewer(), "repair", LAMP)
    assert act(people.firm("north"), "repair", id, "mend").state == "done"


def test_what_is_needed_is_asked_for(people: People, conn: Connection) -> None:
    with pytest.raises(InvalidError, match="what is required"):
        open_record(people.desk(), "repair", {"text": "x"})
    id = opened(people)
    refused = [
        ({}, {}, "firm is required for give"),
        ({"firm": "east"}, {}, "firm is not one of the choices"),
        ({"firm": "north", "phone": "1"}, {}, "'phone' is no field that can be given here"),
        ({"firm": "north"}, {"reason": "mended"}, "takes no reason"),
        ({"firm": "north"}, {"note": "a\x00"}, "note holds control characters"),
    ]
    for args, more, said in refused:
        with pytest.raises(InvalidError, match=said):
            act(people.desk(), "repair", id, "give", args, **more)
    with pytest.raises(InvalidError, match="a note is required for hold"):
        act(people.desk(), "repair", id, "hold")
    with pytest.raises(InvalidError, match="a reason is required for force: refused, mended"):
        act(people.chief(), "repair", id, "force", note="x")
    assert page(conn, id).record.version == 1


def test_what_does_not_exist_is_not_found(people: People) -> None:
    for kind, id, move in (
        ("repairs", 1, "give"),
        ("repair", 999, "give"),
        ("repair", 2**70, "give"),
    ):
        with pytest.raises(NotFoundError):
            act(people.desk(), kind, id, move)
    with pytest.raises(NotFoundError, match="repair has no move 'givee'"):
        act(people.desk(), "repair", opened(people), "givee")


def test_who_has_not_seen_the_newest_step_is_refused(people: People) -> None:
    id = opened(people)
    act(people.desk(), "repair", id, "give", {"firm": "north"}, expected_state="new")
    with pytest.raises(ConflictError, match=f"repair-{id} is in state given, not new"):
        act(people.desk(), "repair", id, "hold", note="x", expected_state="new")
    with pytest.raises(ConflictError, match="has moved on: step 2, not 1"):
        act(people.desk(), "repair", id, "hold", note="x", expected_version=1)
    assert act(people.desk(), "repair", id, "hold", note="x", expected_version=2).version == 3


def test_the_same_key_does_it_once(people: People, conn: Connection) -> None:
    first = open_record(people.desk(), "repair", LAMP, key="a")
    again = open_record(people.desk(), "repair", LAMP, key="a")
    assert (again.id, again.repeated, first.repeated) == (first.id, True, False)
    act(people.desk(), "repair", first.id, "give", {"firm": "north"}, key="b")
    act(people.desk(), "repair", first.id, "mend")
    repeated = act(people.desk(), "repair", first.id, "give", {"firm": "north"}, key="b")
    assert (repeated.repeated, repeated.state, repeated.version) == (True, "given", 2)
    with pytest.raises(ConflictError, match="this key was used for give"):
        act(people.desk(), "repair", first.id, "close", reason="mended", key="b")
    other = open_record(people.desk("zhao"), "repair", LAMP, key="a")  # keys are the actor's own
    assert other.id != first.id
    for key in ("", "x" * 201, "a\nb"):
        with pytest.raises(InvalidError, match="a key has"):
            act(people.desk(), "repair", first.id, "remark", note="x", key=key)
    sound(conn)


def test_one_bad_of_many_never_takes_the_good_ones_along(people: People, conn: Connection) -> None:
    good, bad, other = (opened(people) for _ in range(3))
    act(people.desk(), "repair", bad, "give", {"firm": "north"})
    ids = [good, bad, 999, other, good]
    found = act_many(people.desk(), "repair", ids, "give", {"firm": "south"}, key="many")
    assert [(o.id, o.done is not None) for o in found] == [
        (good, True),
        (bad, False),
        (999, False),
        (other, True),
    ]
    assert [type(o.error) for o in found[1:3]] == [ConflictError, NotFoundError]
    assert {page(conn, id).record.state for id in (good, other)} == {"given"}
    assert page(conn, bad).record.fields["firm"] == "north"
    sound(conn)


def test_a_step_is_taken_back_by_whoever_made_it_while_nothing_followed(
    people: People, conn: Connection
) -> None:
    id = opened(people)
    act(people.desk(), "repair", id, "hold", note="part missing")
    act(people.desk(), "repair", id, "resume")
    before = page(conn, id)
    act(people.desk(), "repair", id, "give", {"firm": "north", "text": "dark"})
    with pytest.raises(ForbiddenError, match="only wang may take give back"):
        act(people.desk("zhao"), "repair", id, "undo")
    people.clock.forward(seconds=599)
    assert act(people.desk(), "repair", id, "undo").state == "new"
    after = page(conn, id)
    assert after.record.fields == before.record.fields
    assert after.record.came_from == before.record.came_from
    assert after.log[-1].clocks == before.log[-1].clocks
    assert [e.move for e in after.log] == ["open", "hold", "resume", "give", "undo"]
    sound(conn)
    with pytest.raises(ConflictError, match="undo cannot be taken back"):
        act(people.desk(), "repair", id, "undo")
    act(people.desk(), "repair", id, "give", {"firm": "south"})
    people.clock.forward(seconds=601)
    with pytest.raises(ConflictError, match="within 600 s only"):
        act(people.desk(), "repair", id, "undo")


def test_on_hold_leads_back_to_where_it_was(people: People, conn: Connection) -> None:
    id = opened(people)
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    act(people.desk(), "repair", id, "hold", note="no part")
    assert act(people.desk(), "repair", id, "resume").state == "given"
    sound(conn)


def test_one_open_record_of_the_same(people: People, conn: Connection) -> None:
    id = opened(people, sensor="S1")
    with pytest.raises(ConflictError):
        opened(people, sensor="S1")
    joined = open_record(
        people.engine(),
        "repair",
        {**LAMP, "sensor": "S1"},
        if_near="join",
        links=[("opened_by", "alert:e1")],
    )
    assert (joined.id, joined.repeated) == (id, True)
    assert [(x.relation, x.target) for x in page(conn, id).links] == [("joined", "alert:e1")]
    act(people.chief(), "repair", id, "force", reason="refused", note="x")
    assert opened(people, sensor="S1") != id


def test_near_records_are_found_closed_ones_too(people: People, conn: Connection) -> None:
    id = opened(people)
    act(people.chief(), "repair", id, "force", reason="refused", note="x")
    close_by = opened(people, lat=30.6573)  # 33 m
    opened(people, lat=30.6580)  # 111 m
    opened(people, what="pump")
    found = page(conn, close_by).near
    assert [(n.id, n.open, round(n.distance_m)) for n in found] == [(id, False, 33)]
    with pytest.raises(ConflictError, match=f"repair-{close_by} may be about the same"):
        open_record(people.citizen(), "repair", {**LAMP, "lat": 30.6574}, if_near="refuse")
    people.clock.forward(hours=49)
    assert not open_record(people.citizen(), "repair", LAMP, if_near="refuse").repeated


def test_the_log_cannot_be_changed_unseen(people: People, conn: Connection) -> None:
    id = opened(people)
    for statement in (
        "UPDATE record_log SET note = 'x'",
        "DELETE FROM record_log",
        "TRUNCATE record_log CASCADE",
    ):
        with pytest.raises(RaiseException):
            conn.execute(statement.encode())
    sound(conn)
    conn.execute("ALTER TABLE record_log DISABLE TRIGGER record_log_append_only")
    conn.execute("UPDATE record_log SET actor = 'somebody else' WHERE record = %s", [id])
    assert [f.what for f in verify_log(conn)] == ["is not what was written"]
    conn.execute("DELETE FROM record_events")
    conn.execute("DELETE FROM record_log")
    assert [f.what for f in verify_log(conn)] == ["step is missing"]


def test_a_record_that_was_changed_beside_the_path_is_found(
    people: People, conn: Connection
) -> None:
    id = opened(people)
    conn.execute("UPDATE records SET state = 'done' WHERE id = %s", [id])
    assert [f.what for f in verify_states(conn, "repair")] == ["state: stored 'done', log 'new'"]


def test_time_never_steps_back_within_a_record(people: People, conn: Connection) -> None:
    id = opened(people)
    people.clock.at = NOW - timedelta(minutes=5)
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    at = [entry.at for entry in page(conn, id).log]
    assert at == sorted(at)
    assert get_record(conn, record_of("repair"), id).changed_at == NOW
