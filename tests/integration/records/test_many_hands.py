"""Several who act at the same moment: one legal step at a time, whoever comes second is told."""

import threading
from collections.abc import Callable

from psycopg import Connection

from catalog.errors import ConflictError, RefusedError
from records.act import act, open_record, record_of
from records.context import Context
from records.queries import get_page
from records.verify import verify_log, verify_states
from service.postgres import connect
from storage import audit
from tests.support.works_system import People

Work = Callable[[Context], object]


def at_once(dsn: str, works: list[Work]) -> list[object]:
    """Do all at the same moment, each on a connection of its own; return results or refusals."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(n: int, work: Work) -> None:
        with connect(dsn, "test", autocommit=True) as conn:
            context = Context(conn, f"person{n}", "api", "operator")
            gate.wait()
            try:
                found[n] = work(context)  # pyright: ignore
            except RefusedError as error:
                found[n] = error  # pyright: ignore

    threads = [
        threading.Thread(target=run, args=(n, work), daemon=True) for n, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return list(found)


def test_two_operators_move_the_same_record(people: People, conn: Connection, dsn: str) -> None:
    id = open_record(people.desk(), "repair", {"what": "lamp"}).id

    def give(context: Context) -> object:
        return act(context, "repair", id, "give", {"firm": "north"}, expected_state="new")

    found = at_once(dsn, [give] * 6)
    assert sum(isinstance(done, ConflictError) for done in found) == 5
    assert [e.move for e in get_page(conn, record_of("repair"), id).log] == ["open", "give"]
    assert verify_states(conn, "repair") == []


def test_remarks_of_many_are_all_kept_in_one_chain(
    people: People, conn: Connection, dsn: str
) -> None:
    ids = [open_record(people.desk(), "repair", {"what": "lamp"}).id for _ in range(3)]

    def remark(context: Context) -> object:
        return [act(context, "repair", id, "remark", note="seen").version for id in ids * 4]

    at_once(dsn, [remark] * 5)
    versions = [[e.version for e in get_page(conn, record_of("repair"), id).log] for id in ids]
    assert versions == [list(range(1, 22))] * 3
    assert verify_log(conn) == []
    assert audit.verify(conn).whole
    assert conn.execute("SELECT count(*) FROM record_events").fetchone() == (63,)


def test_the_same_key_at_the_same_moment_does_it_once(conn: Connection, dsn: str) -> None:
    def report(context: Context) -> object:
        same = Context(context.conn, "robot", "api", "operator")
        return open_record(same, "repair", {"what": "pump"}, key="report 7")

    found = at_once(dsn, [report] * 6)
    assert len({done.id for done in found}) == 1  # pyright: ignore
    assert conn.execute("SELECT count(*) FROM records").fetchone() == (1,)


def test_one_of_the_same_is_opened(conn: Connection, dsn: str) -> None:
    def report(context: Context) -> object:
        return open_record(context, "repair", {"what": "pump", "sensor": "S1"})

    found = at_once(dsn, [report] * 6)
    assert sum(isinstance(done, ConflictError) for done in found) == 5
    assert conn.execute("SELECT count(*) FROM records").fetchone() == (1,)
