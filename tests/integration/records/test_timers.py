"""Deadlines in the database: found due soon and overdue once, paused, extended, undone."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from catalog.site import zone
from records.act import act, open_record, record_of
from records.context import Context
from records.loop import PIECE, late, tick
from records.queries import get_page
from records.verify import verify_log, verify_states
from service.postgres import connect
from tests.support.works_system import NOW, Clock, People

PUMP = {"what": "pump"}


def moves(conn: Connection, id: int) -> list[tuple[str, str]]:
    return [(e.move, e.reason) for e in get_page(conn, record_of("repair"), id).log]


def due(conn: Connection, id: int) -> datetime | None:
    return get_page(conn, record_of("repair"), id).record.due_at


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone())


def given(people: People, what: str = "pump") -> int:
    id = open_record(people.desk(), "repair", {"what": what}).id
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    return id


def test_limits_are_by_field_and_by_kind_of_clock(people: People, conn: Connection) -> None:
    people.clock.at = local("2026-09-30 16:00")
    id = open_record(people.desk(), "repair", PUMP).id
    assert due(conn, id) == local("2026-10-08 10:00")  # two working hours over Golden Week
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    assert due(conn, id) == local("2026-09-30 20:00")  # four urgent hours
    assert due(conn, given(people, "lamp")) == local("2026-10-01 16:00")  # a natural day


def test_due_soon_and_overdue_are_each_found_once(people: People, conn: Connection) -> None:
    id = given(people)
    tick(conn, people.clock)
    assert len(moves(conn, id)) == 2
    people.clock.at = NOW + timedelta(hours=4 * 0.8)
    for _ in range(2):
        tick(conn, people.clock)
    assert moves(conn, id)[2:] == [("due_soon", "mend")]
    people.clock.at = NOW + timedelta(hours=4) - timedelta(microseconds=1)
    tick(conn, people.clock)
    assert len(moves(conn, id)) == 3
    people.clock.at = NOW + timedelta(hours=4)
    for _ in range(2):
        tick(conn, people.clock)
    assert moves(conn, id)[3:] == [("overdue", "mend")]
    page = get_page(conn, record_of("repair"), id)
    assert page.record.overdue
    assert page.record.due_at == NOW + timedelta(hours=4)
    act(people.desk(), "repair", id, "mend")
    assert not get_page(conn, record_of("repair"), id).record.overdue
    assert verify_states(conn, "repair") == []


def test_a_loop_that_was_away_finds_the_overdue_at_once(people: People, conn: Connection) -> None:
    id = given(people)
    people.clock.forward(days=3)
    tick(conn, people.clock)
    assert moves(conn, id)[2:] == [("overdue", "mend")]


def test_two_loops_beside_each_other_find_it_once(
    people: People, conn: Connection, dsn: str
) -> None:
    ids = [given(people) for _ in range(20)]
    clock = Clock(NOW + timedelta(hours=5))
    gate = threading.Barrier(4)

    def loop() -> None:
        with connect(dsn, "test", autocommit=True) as own:
            gate.wait()
            late(Context(own, "cityops", "engine", now=clock), overdue=True)

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [moves(conn, id)[2:] for id in ids] == [[("overdue", "mend")]] * 20
    assert verify_log(conn) == []


def test_more_than_a_piece_is_found_in_the_next_rounds(people: People, conn: Connection) -> None:
    context = Context(conn, "cityops", "engine", now=people.clock)
    for _ in range(3):
        given(people)
    people.clock.forward(hours=5)
    assert PIECE > 3
    assert late(context, overdue=True) == 3
    assert late(context, overdue=True) == 0


def test_on_hold_the_clock_stands(people: People, conn: Connection) -> None:
    people.clock.at = local("2026-09-30 15:00")
    id = open_record(people.desk(), "repair", PUMP).id
    people.clock.at = local("2026-09-30 16:00")
    act(people.desk(), "repair", id, "hold", note="no part")
    assert due(conn, id) is None
    people.clock.at = local("2026-10-09 09:30")
    tick(conn, people.clock)
    act(people.desk(), "repair", id, "resume")
    assert due(conn, id) == local("2026-10-09 10:30")  # one of two working hours was left
    assert [move for move, _ in moves(conn, id)] == ["open", "hold", "resume"]
    assert verify_states(conn, "repair") == []


def test_lateness_cannot_be_paused_away(people: People, conn: Connection) -> None:
    id = given(people)
    people.clock.forward(hours=5)
    act(people.desk(), "repair", id, "hold", note="no part")
    tick(conn, people.clock)
    assert moves(conn, id)[-1] == ("overdue", "mend")


def test_more_time_takes_an_overdue_back(people: People, conn: Connection) -> None:
    id = given(people)
    people.clock.forward(hours=5)
    tick(conn, people.clock)
    act(people.chief(), "repair", id, "longer", {"hours": 10})
    page = get_page(conn, record_of("repair"), id)
    assert (page.record.overdue, page.record.due_at) == (False, NOW + timedelta(hours=14))
    people.clock.forward(hours=10)
    tick(conn, people.clock)
    assert [m for m, _ in moves(conn, id)].count("overdue") == 2


def test_rework_begins_another_round(people: People, conn: Connection) -> None:
    id = given(people)
    people.clock.forward(hours=1)
    act(people.desk(), "repair", id, "mend")
    people.clock.forward(hours=1)
    act(people.desk(), "repair", id, "again")
    assert due(conn, id) == NOW + timedelta(hours=6)
    rounds = conn.execute(
        "SELECT round, stopped_at <= due_at, spent_us FROM record_timers"
        " WHERE record = %s AND clock = 'mend' ORDER BY round",
        [id],
    ).fetchall()
    assert rounds == [(1, True, 3_600_000_000), (2, None, 0)]


def test_an_end_stops_every_clock(people: People, conn: Connection) -> None:
    id = given(people)
    act(people.chief(), "repair", id, "force", reason="refused", note="x")
    people.clock.forward(days=9)
    assert tick(conn, people.clock) == 0
    assert moves(conn, id)[-1] == ("force", "refused")
    assert due(conn, id) is None


def test_a_killed_loop_has_done_whole_steps_only(
    people: People, conn: Connection, dsn: str
) -> None:
    """The connection dies between the log's line and the commit: nothing of it stays."""
    id = given(people)
    clock = Clock(NOW + timedelta(hours=5))
    own = connect(dsn, "test", autocommit=True)
    with pytest.raises(Exception, match=r"terminat|closed"), own.transaction():
        late(Context(own, "cityops", "engine", now=clock), overdue=True)
        own_pid = own.info.backend_pid
        conn.execute("SELECT pg_terminate_backend(%s, 5000)", [own_pid])
        own.execute("SELECT 1")
    assert len(moves(conn, id)) == 2
    tick(conn, clock)
    assert moves(conn, id)[2:] == [("overdue", "mend")]
    assert verify_states(conn, "repair") == verify_log(conn) == []


def test_by_the_database_clock(conn: Connection) -> None:
    """Without a test's clock an act is at the database's time, whatever the process believes."""
    before = conn.execute("SELECT clock_timestamp()").fetchone()
    id = open_record(Context(conn, "wang", "api", "operator"), "repair", PUMP).id
    after = conn.execute("SELECT clock_timestamp()").fetchone()
    assert before and after
    at = get_page(conn, record_of("repair"), id).record.opened_at
    assert before[0] <= at.astimezone(UTC) <= after[0]
