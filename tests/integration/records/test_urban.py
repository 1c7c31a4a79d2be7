"""数字城管: seven steps, departments on their own cases, KPIs by the formulas."""

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from catalog.errors import ConflictError, ForbiddenError
from catalog.lifecycle.kpi import Score
from catalog.site import zone
from records.act import act, open_record, record_of
from records.context import Context, Grant
from records.kpi import Figure, Period, _score, figures
from records.loop import tick
from records.queries import get_record
from records.verify import verify_log, verify_states
from tests.support.works_system import Clock

PLACE = {"lon": 104.066, "lat": 30.657, "source": "collector"}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone())


class Office:
    """Those who work on cases, by one clock."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.clock = Clock(local("2026-09-21 09:00"))
        self.staff = Context(conn, "staff", "page", "operator", now=self.clock)
        self.head = Context(conn, "head", "page", "admin", now=self.clock)

    def team(self, department: str) -> Context:
        grants = (Grant("urban", "department", department),)
        return Context(self.conn, f"team-{department}", "api", "viewer", grants, now=self.clock)

    def opened(self, subclass: str, **more: object) -> int:
        return open_record(self.staff, "case", {**PLACE, "subclass": subclass, **more}).id

    def do(self, id: int, *moves: str, department: str = "sanitation") -> None:
        given: dict[str, dict[str, object]] = {
            "dispatch": {"department": department},
            "feed_back": {"measures": "cleared"},
        }
        for move in moves:
            note = "see photo" if move in ("rework", "return", "suspend") else ""
            reason = "resolved" if move == "close" else ""
            act(self.staff, "case", id, move, given.get(move, {}), note=note, reason=reason)

    def figure(self, name: str, since: str, until: str, by: str = "", group: str = "") -> Figure:
        found = figures(self.conn, record_of("case"), Period(local(since), local(until)), by)
        return next(f for f in found if (f.kpi, f.group) == (name, group))


@pytest.fixture
def office(conn: Connection) -> Office:
    return Office(conn)


TO_CHECK = ("file", "dispatch", "receive", "feed_back", "check")
WEEK = ("2026-09-20 00:00", "2026-09-27 00:00")


def test_seven_steps_with_rework(office: Office, conn: Connection) -> None:
    id = office.opened("E0101", description="rubbish")
    office.do(id, *TO_CHECK, "rework")
    assert get_record(conn, record_of("case"), id).state == "handling"
    office.do(id, "feed_back", "check", "pass", "close")
    row = get_record(conn, record_of("case"), id)
    assert (row.state, row.close_reason, row.district) == ("closed", "resolved", "510105")
    assert verify_states(conn, "case") == verify_log(conn) == []


def test_a_department_works_on_its_own_cases_only(office: Office) -> None:
    id = office.opened("P0106")
    office.do(id, "file", "dispatch", department="lighting")
    with pytest.raises(ForbiddenError):
        act(office.team("sanitation"), "case", id, "receive")
    act(office.team("lighting"), "case", id, "receive")
    act(office.team("lighting"), "case", id, "feed_back", {"measures": "lamp replaced"})
    office.do(id, "check")
    with pytest.raises(ForbiddenError):
        act(office.team("lighting"), "case", id, "pass")


def test_limits_follow_the_subclass_also_when_it_is_corrected(office: Office) -> None:
    """Filed as exposed rubbish (4 working hours), corrected to a lamp (2 working days)."""
    for corrected, due in ((None, "2026-09-21 14:00"), ("P0106", "2026-09-22 17:00")):
        office.clock.at = local("2026-09-21 09:00")
        id = office.opened("E0101", lon=104.0 + 0.01 * bool(corrected))
        act(office.staff, "case", id, "file", {"subclass": corrected} if corrected else {})
        act(office.staff, "case", id, "dispatch", {"department": "sanitation"})
        row = office.conn.execute(
            "SELECT due_at FROM record_timers WHERE record = %s AND clock = 'handle'", [id]
        ).fetchone()
        assert row is not None and row[0] == local(due)


def test_granted_time_moves_both_deadlines(office: Office) -> None:
    id = office.opened("E0101")
    office.do(id, "file", "dispatch", "receive")
    team = office.team("sanitation")
    act(team, "case", id, "ask_delay", {"delay": 3}, note="truck broken")
    with pytest.raises(ForbiddenError):
        act(team, "case", id, "grant_delay", {"delay": 3})
    act(office.head, "case", id, "grant_delay", {"delay": 2})
    rows = office.conn.execute(
        "SELECT clock, due_at FROM record_timers WHERE record = %s AND stopped_at IS NULL", [id]
    ).fetchall()
    assert dict(rows) == {"handle": local("2026-09-21 16:00"), "total": local("2026-09-22 10:00")}


def test_a_closed_case_is_reopened_with_its_clocks(office: Office, conn: Connection) -> None:
    id = office.opened("E0101")
    office.do(id, *TO_CHECK, "pass", "close")
    act(office.head, "case", id, "reopen", note="it lies there again")
    row = get_record(conn, record_of("case"), id)
    assert (row.state, row.closed_at, row.close_reason) == ("filed", None, None)
    assert row.due_at is not None
    with pytest.raises(ConflictError):
        office.do(id, "close")


def test_what_is_due_counts_by_its_deadline(office: Office) -> None:
    """Ten cases fall due this week: eight in time, one late, one not at all; one more next week."""
    for n in range(10):
        office.clock.at = local("2026-09-21 09:00")
        id = office.opened("E0101", lon=104.0 + n / 100)
        office.do(id, "file", "dispatch", "receive")
        office.clock.at = local("2026-09-21 11:00" if n < 8 else "2026-09-21 16:00")
        if n < 9:
            office.do(id, "feed_back", "check", "pass", "close")
    office.clock.at = local("2026-09-26 09:00")  # a Saturday: due on Monday
    office.do(office.opened("E0102"), "file", "dispatch")
    figure = office.figure("disposed_in_time", *WEEK)
    assert (figure.numerator, figure.denominator, figure.value) == (8, 10, 0.8)
    assert office.figure("disposed", *WEEK).value == 0.9
    assert office.figure("closed_in_time", *WEEK).value == 0.9  # six working hours in all
    assert office.figure("filed", *WEEK).denominator == 11
    grouped = office.figure("disposed_in_time", *WEEK, by="department", group="sanitation")
    assert grouped.denominator == 10
    assert office.figure("score", *WEEK).value == pytest.approx(60 * 0.8 + 30 * 0.9 + 10)


def test_a_case_closed_by_force_is_not_dealt_with(office: Office) -> None:
    id = office.opened("E0101")
    office.do(id, "file", "dispatch")
    act(office.head, "case", id, "force_close", reason="wont_fix", note="no access")
    assert office.figure("closed", *WEEK).value == 0.0
    assert office.figure("disposed", *WEEK).value == 0.0


def test_rework_counts_once_a_case(office: Office) -> None:
    for n in range(4):
        id = office.opened("E0101", lon=104.0 + n / 100)
        office.do(id, *TO_CHECK, *(("rework", "feed_back", "check") * (2 if n == 0 else 0)), "pass")
    figure = office.figure("rework", *WEEK)
    assert (figure.numerator, figure.denominator) == (1, 4)


def test_the_score_of_a_department() -> None:
    """.95 dealt with in time, .98 closed, .04 rework give 96 (reference §5)."""
    score = next(k for k in record_of("case").kpis if isinstance(k, Score))
    shares = {"disposed_in_time": 0.95, "closed": 0.98, "rework": 0.04}
    given = {
        (name, "x"): Figure(
            kpi=name, group="x", numerator=1, denominator=1, value=value, target=None, met=None
        )
        for name, value in shares.items()
    }
    assert _score(score, "x", given).value == pytest.approx(96.0)
    assert _score(score, "y", given).value is None


def test_unfiled_reports_become_overdue_after_three_quarters_of_an_hour(
    office: Office, conn: Connection
) -> None:
    id = office.opened("E0401")
    office.clock.forward(minutes=45)
    tick(conn, office.clock)
    assert get_record(conn, record_of("case"), id).overdue
    assert timedelta(minutes=45) == office.clock.at - local("2026-09-21 09:00")
