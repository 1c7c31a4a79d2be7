"""What people had open in the oldest released schema is there after the upgrade."""

from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from alerts.incident.queries import get_incident
from alerts.incident.tasks import keep_tasks
from alerts.sources.exercises import in_sum, performances
from records.act import record_of
from records.queries import Page, get_page, get_record
from records.verify import verify_log, verify_states
from service.postgres import connect, now_of
from storage.audit import verify
from storage.migrate import FOLDER, HISTORY, _apply, migrate

ROWS = Path(__file__).parents[1] / "support" / "released_rows.sql"
RELEASED = "0030_incident_changes.sql"
LATER = ("0022_",)
"""Numbers below the released one that were given afterwards."""
DRILLS = "0100_drills_are_records.sql"
KEPT = (
    *("episodes", "episode_acts", "transitions", "incidents", "incident_members", "incident_acts"),
    *("silences", "responses", "outbox", "outbox_subjects", "told", "escalations", "audit"),
)
Rows = dict[str, list[str]]


@pytest.fixture
def released(empty_dsn: str) -> str:
    """A database of the released schema with things open in it."""
    files = [f for f in sorted(FOLDER.glob("*.sql")) if not f.name.startswith(LATER)]
    names = [f.name for f in files]
    with connect(empty_dsn, "test", autocommit=True) as conn:
        conn.execute(HISTORY)
        for file in files[: names.index(RELEASED) + 1]:
            _apply(conn, file)
        conn.execute(ROWS.read_text().encode())
    return empty_dsn


def columns_of(conn: Connection) -> dict[str, list[str]]:
    """Return the columns of each table, but the one that follows a drill's number."""
    return {
        table: sorted(
            name
            for (name,) in conn.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
            )
            if name != "drill"
        )
        for table in KEPT
    }


def rows_of(conn: Connection, columns: dict[str, list[str]]) -> Rows:
    """Return every row as text, in order; the audit log up to what was there."""
    found: Rows = {}
    for table, names in columns.items():
        query = f"SELECT jsonb_build_array({', '.join(names)})::text AS row FROM {table}"
        if table == "audit":
            query += " WHERE what LIKE 'drill.%' AND NOT detail ? 'log'"
        found[table] = [row for (row,) in conn.execute(f"{query} ORDER BY row".encode())]
    return found


def drills_by_title(conn: Connection) -> dict[str, Page]:
    rows = conn.execute("SELECT id FROM records WHERE kind = 'drill' ORDER BY id").fetchall()
    pages = [get_page(conn, record_of("drill"), id) for (id,) in rows]
    return {page.record.fields["title"]: page for page in pages}


def told_steps(page: Page) -> list[tuple[str, str]]:
    return [(entry.move, entry.actor) for entry in page.log]


def test_nothing_that_was_open_is_lost(released: str) -> None:
    with connect(released, "test", autocommit=True) as conn:
        columns = columns_of(conn)
        before = rows_of(conn, columns)
    assert all(before.values())
    migrate(released)
    with connect(released, "test", autocommit=True) as conn:
        assert rows_of(conn, columns) == before
        assert verify(conn).whole
        assert verify_log(conn) == []
        assert verify_states(conn, "drill") == []
        drills = drills_by_title(conn)
        assert {t: (p.record.id, p.record.state) for t, p in drills.items()} == {
            "planned": (1, "planned"),
            "running": (2, "running"),
            "over": (3, "over"),
            "called off": (4, "cancelled"),
            "cut short": (5, "over"),
            "just stopped": (6, "over"),
        }
        opened = ("open", "li")
        assert told_steps(drills["running"]) == [opened, ("start", "cityops")]
        assert told_steps(drills["called off"]) == [opened, ("cancel", "wang")]
        assert told_steps(drills["cut short"])[2] == ("stop", "wang")
        assert told_steps(drills["over"])[2] == ("end", "cityops")
        running = drills["running"].record.fields
        assert (running["instruction"], running["severity"]) == ("close the tunnel", "1")
        assert (running["receivers"], running["starts_at"][:19]) == (
            ["crew"],
            "2026-11-24T03:00:00",
        )
        owed = conn.execute("SELECT l.record FROM record_events JOIN record_log l USING (seq)")
        assert owed.fetchall() == [(6,)], "who was told of its beginning is told of its end"
        (answered,) = performances(conn, 2)
        assert (answered.receiver, answered.accepted_s) == ("crew", 60.0)
        assert in_sum(conn, [1, 3])[3].delivered == 1
        assert verify_states(conn, "task") == []
        done = {t.name: (t.done_by, t.note) for t in get_incident(conn, "inc-open").tasks}
        assert done["close"] == ("wang", "barriers are down")
        assert [t.done_by for t in get_incident(conn, "inc-over").tasks if t.name == "pump"] == [
            "li"
        ]
        acts = [act.act for act in get_incident(conn, "inc-open").timeline]
        assert acts == ["opened", "task", "comment"], "no line of the timeline stands twice"
        gone = conn.execute("SELECT state FROM records WHERE fields ->> 'what' LIKE '%.gone'")
        assert gone.fetchall() == [("done",)]
        keep_tasks(conn, now_of(conn), 50)
        pump = next(t for t in get_incident(conn, "inc-open").tasks if t.name == "pump")
        assert (pump.due_at.isoformat(), pump.done_by) == ("2026-11-24T04:30:00+00:00", None)
        assert get_record(conn, record_of("task"), pump.record or 0).state == "to_do"
        taken = conn.execute(
            "INSERT INTO records (kind, state, version, fields, opened_by, opened_at, changed_at,"
            " state_since) VALUES ('x', 'x', 1, '{}', 'x', now(), now(), now()) RETURNING id"
        ).fetchone()
        assert (taken or (0,))[0] > 6, "no new record is called what an old drill was"


def test_a_drill_whose_number_is_taken_gets_another_one(released: str) -> None:
    files = sorted(FOLDER.glob("*.sql"))
    upgrade = FOLDER / DRILLS
    with connect(released, "test", autocommit=True) as conn:
        for file in files[: files.index(upgrade)]:
            _apply(conn, file)
        for _ in range(2):
            conn.execute(
                "INSERT INTO records (kind, state, version, fields, opened_by, opened_at,"
                " changed_at, state_since) VALUES ('case', 'x', 1, '{}', 'x', now(), now(), now())"
            )
        _apply(conn, upgrade)
        drills = drills_by_title(conn)
        assert {t: p.record.id for t, p in drills.items()} == {
            "over": 3, "called off": 4, "cut short": 5, "just stopped": 6,
            "planned": 7, "running": 8,
        }  # fmt: skip
        assert [(li.relation, li.target) for li in drills["running"].links] == [
            ("formerly", "drill-2")
        ]
        (answered,) = performances(conn, 8)
        assert answered.accepted_s == 60.0, "what was answered under its old number counts"
        assert verify_states(conn, "drill") == []
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute("UPDATE outbox SET drill = 8 WHERE id = 'msg_3'")
