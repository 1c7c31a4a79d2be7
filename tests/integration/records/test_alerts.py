"""Records and alerts: steps become webhooks, run-out clocks become alerts, alerts open records."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from psycopg import Connection

from alerts.delivery.formats.cityops import schema
from alerts.delivery.links import links_of
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import AlertSettings
from alerts.sources.records import subscribe
from catalog import registry
from catalog.errors import ConflictError
from catalog.lifecycle import registry as lifecycles
from records.act import act, open_record, record_of
from records.context import Context
from records.loop import tick
from records.payload import json_schema
from records.queries import get_page
from tests.support.alerting import Desk, Stub, add_receiver, of_sensor
from tests.support.works_system import People

ROUTES = """
[route]
receivers = ["duty"]
[[route.routes]]
match = { rule = ["repair.overdue_*"] }
receivers = ["duty"]
escalate = [{ after_min = 10, to = ["chief"] }]
"""


@pytest.fixture
def desk(dsn: str, conn: Connection, tmp_path: Path) -> Iterator[Desk]:
    for cached in (registry._rules, lifecycles.overdue_rules):
        cached.cache_clear()
    for name in ("duty", "chief", "works"):
        add_receiver(dsn, tmp_path, Stub(9), name, routed=name != "works")
    file = tmp_path / "routes.toml"
    file.write_text(ROUTES)
    settings = AlertSettings(state_dir=tmp_path, routes_file=file)
    yield Desk(conn, settings, Notifier(read_routes(file), links_of(settings)))
    for cached in (registry._rules, lifecycles.overdue_rules):
        cached.cache_clear()


def bodies(conn: Connection, receiver: str) -> list[dict[str, object]]:
    rows = conn.execute(
        "SELECT o.body FROM outbox o JOIN receivers r ON r.id = o.receiver WHERE r.name = %s"
        " ORDER BY receiver_seq",
        [receiver],
    )
    return [json.loads(row[0]) for row in rows]


def test_steps_go_to_who_asked_for_them_in_order_once(desk: Desk, people: People) -> None:
    subscribe(desk.conn, "works", ["repair.*"])
    id = open_record(people.desk(), "repair", {"what": "lamp", "text": "dark"}).id
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    act(people.desk(), "repair", id, "mend")
    desk.later(seconds=1)
    desk.later(seconds=1)
    found = bodies(desk.conn, "works")
    assert [b["type"] for b in found] == ["repair.open", "repair.give", "repair.mend"]
    assert [b["sequence"] for b in found] == [1, 2, 3]
    for body in found:
        for contract in (json_schema(record_of("repair")), schema()):
            jsonschema.validate(body, contract, cls=jsonschema.Draft202012Validator)
        assert "respond" not in body
    data = found[1]["data"]
    assert isinstance(data, dict)
    assert (data["changes"], data["from"], data["to"]) == ({"firm": "north"}, "new", "given")
    assert data["title"] == {"zh": "灯 · dark", "en": "Lamp · dark"}
    assert bodies(desk.conn, "duty") == []
    assert desk.conn.execute("SELECT count(*) FROM record_events").fetchone() == (0,)


def test_patterns_choose_types_and_some_formats_hold_no_steps(
    desk: Desk, people: People, dsn: str, tmp_path: Path
) -> None:
    subscribe(desk.conn, "works", ["*.mend"])
    id = open_record(people.desk(), "repair", {"what": "lamp"}).id
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    act(people.desk(), "repair", id, "mend")
    desk.later(seconds=1)
    assert [b["type"] for b in bodies(desk.conn, "works")] == ["repair.mend"]
    for pattern in ("case", "case.*; DROP", "", "Case.x"):
        with pytest.raises(ValueError, match="is no pattern of steps"):
            subscribe(desk.conn, "works", [pattern])
    add_receiver(dsn, tmp_path, Stub(9), "cap", format="cap")
    with pytest.raises(ConflictError):
        subscribe(desk.conn, "cap", ["*.*"])


def test_overdue_is_an_alert_that_escalates_and_ends_with_the_move(
    desk: Desk, people: People
) -> None:
    id = open_record(people.desk(), "repair", {"what": "pump", "text": "leaks"}).id
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    people.clock.forward(hours=4)
    tick(desk.conn, people.clock)
    desk.now = people.clock.at
    desk.later(seconds=1)
    desk.later(seconds=1)
    assert desk.said("duty") == ["raised"]
    body = bodies(desk.conn, "duty")[0]
    data = body["data"]
    assert isinstance(data, dict)
    jsonschema.validate(body, schema(), cls=jsonschema.Draft202012Validator)
    assert (body["type"], data["rule"]) == ("alert.raised", "repair.overdue_mend")
    assert data["title"] == {"zh": "维修单超期：维修时限", "en": "Repair overdue: Mend"}
    assert data["labels"]["domain"] == "works"
    assert data["severity"]["level"] == 3
    desk.later(minutes=9)
    assert desk.said("chief") == []
    desk.later(minutes=2)
    assert desk.said("chief") == ["escalated"]
    act(people.desk(), "repair", id, "mend")
    desk.later(seconds=1)
    assert desk.said("duty") == ["raised", "cleared"]
    rows = desk.conn.execute("SELECT rule, stream, sensor, status FROM episodes").fetchall()
    assert rows == [("repair.overdue_mend", "records", f"repair-{id}", "cleared")]


def test_more_time_ends_the_alert_and_another_may_follow(desk: Desk, people: People) -> None:
    id = open_record(people.desk(), "repair", {"what": "pump"}).id
    act(people.desk(), "repair", id, "give", {"firm": "north"})
    for _ in range(2):
        people.clock.forward(hours=80)
        tick(desk.conn, people.clock)
        act(people.chief(), "repair", id, "longer", {"hours": 100})
    desk.later(seconds=1)
    assert desk.said("duty") == ["raised", "cleared"] * 2


def test_an_alert_opens_a_record_once_and_its_end_does_not_close_it(
    desk: Desk, conn: Connection
) -> None:
    sensor = "noise-510104-01"
    raised = of_sensor("noise", "leq_day", sensor)
    desk.take(raised)
    desk.take(raised)
    assert conn.execute("SELECT count(*) FROM record_openings").fetchone() == (1,)
    tick(conn)
    tick(conn)
    rows = conn.execute("SELECT id, state, fields, opened_by FROM records").fetchall()
    assert len(rows) == 1
    id, state, fields, by = rows[0]
    assert (state, by, fields["what"], fields["sensor"]) == ("new", "cityops", "lamp", sensor)
    assert fields["district"] == "510104"
    links = get_page(conn, record_of("repair"), id).links
    assert [(x.relation, x.target) for x in links] == [("opened_by", f"alert:{raised.episode}")]
    desk.take(of_sensor("noise", "leq_day", sensor, kind="cleared", previous=2))
    tick(conn)
    assert conn.execute("SELECT state FROM records").fetchall() == [("new",)]
    desk.take(of_sensor("noise", "leq_day", sensor, 2))  # the same again joins what is open
    tick(conn)
    assert conn.execute("SELECT count(*) FROM records").fetchone() == (1,)
    assert len(get_page(conn, record_of("repair"), id).links) == 2


def test_what_cannot_be_opened_stays_with_the_reason_and_delays_nothing(
    desk: Desk, conn: Connection
) -> None:
    desk.take(of_sensor("noise", "leq_day", "noise-510104-01"))
    conn.execute("UPDATE record_openings SET facts = facts || '{\"sensor\": 7}'")
    desk.take(of_sensor("noise", "leq_day", "noise-510105-01"))
    tick(conn)
    assert conn.execute("SELECT count(*) FROM records").fetchone() == (1,)
    rows = conn.execute("SELECT failed FROM record_openings").fetchall()
    assert rows == [("sensor is no text",)]
    assert desk.said("duty") == ["raised", "raised"]


def test_a_step_reaches_the_outbox_within_a_tick(desk: Desk, conn: Connection) -> None:
    """Nothing waits for a second look: what is committed is told by the next tick."""
    subscribe(conn, "works", ["*.*"])
    before = datetime.now(UTC) - timedelta(seconds=1)
    open_record(Context(conn, "wang", "api", "operator"), "repair", {"what": "lamp"})
    desk.later(seconds=0)
    body = bodies(conn, "works")[0]
    assert datetime.fromisoformat(str(body["timestamp"])) >= before
