"""Signed links, the clocks they drive, and drills: stepwise, and over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jsonschema
import psycopg
import pytest
from prometheus_client import REGISTRY

from alerts.delivery.formats.cityops import schema
from alerts.delivery.links import Links, links_of
from alerts.delivery.outbox import Letter, load_addresses, put
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES, AlertSettings
from alerts.sources.exercises import in_sum, performances
from alerts.sources.records import notify_records
from alerts.sources.responses import STEPS, clocks, respond
from catalog.errors import ConflictError, InvalidError, RefusedError
from records.act import act, open_record, record_of
from records.context import Context
from records.loop import tick
from records.payload import json_schema
from records.store import log_of
from records.verify import verify_states
from service.postgres import connect
from tests.support.alerting import NOW, Desk, Place, Stub, add_receiver, transition
from tests.support.servers import wait_until

DRILL = {"title": "积水演练", "instruction": "报到", "minutes": 10}


def plan(desk: Desk, **more: object) -> int:
    return open_record(who(desk), "drill", DRILL | more).id


def end(desk: Desk, id: int, move: str = "stop") -> None:
    reason = {"stop": "early", "cancel": "called_off"}[move]
    act(who(desk), "drill", id, move, reason=reason)


def who(desk: Desk) -> Context:
    return Context(desk.conn, "li", "page", "operator", now=lambda _: desk.now)


def pass_time(desk: Desk, **passed: float) -> None:
    """Let the loop of records take what is due, then the keeper tell of it."""
    desk.now += timedelta(**passed)
    tick(desk.conn, lambda _: desk.now)
    desk.later(seconds=0)


def test_a_link_is_only_what_we_signed() -> None:
    links = Links("https://c", b"key")
    token = links.respond("msg_1").rsplit("/", 1)[1]
    assert links.opened(token) == "msg_1"
    for forged in (token.replace("msg_1", "msg_2"), token[:-1], "msg_1.", "msg_1", "", "ü.ü"):
        assert links.opened(forged) is None
    assert Links("https://c", b"other").opened(token) is None
    assert Links("https://c").opened("msg_1." + Links("https://c")._mac("msg_1")) is None
    assert "key" not in repr(links)


def test_the_clocks_run_from_delivery_step_by_step(desk: Desk) -> None:
    desk.take(transition(1))
    desk.conn.execute("UPDATE outbox SET first_delivered_at = %s", [NOW])
    for seconds, step in zip((20, 80, 680, 980), STEPS, strict=True):
        for again in (0, 500):
            at = NOW + timedelta(seconds=seconds + again)
            first = respond(desk.conn, "e-1", step, "duty", "duty (link)", at, via="link")
            assert first is (again == 0), "the first answer stands"
    taken = [(c.step, c.count, c.p50_s) for c in clocks(desk.conn, NOW)]
    steps = [("received", 20.0), ("accepted", 60.0), ("on_site", 600.0), ("done", 300.0)]
    assert taken == [(step, 1, s) for step, s in steps]
    acked = desk.conn.execute("SELECT acked_at, acked_by FROM episodes").fetchone()
    assert acked == (NOW + timedelta(seconds=80), "duty (link)"), "who accepts, acknowledges"
    value = REGISTRY.get_sample_value("cityops_response_seconds_sum", {"step": "on_site"})
    assert value == 600.0
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        desk.conn.execute("DELETE FROM responses")


def test_a_drill_runs_by_its_clock_in_the_exercise_channel(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="exercise"):
        plan(desk)
    dsn = desk.conn.info.dsn + f" password={desk.conn.info.password}"
    add_receiver(dsn, tmp_path, Stub(9), "crew", channel="exercise", routed=False)
    add_receiver(dsn, tmp_path, Stub(9), "other", channel="exercise", routed=False)
    with pytest.raises(InvalidError, match="duty"):
        plan(desk, receivers=["duty"])
    with pytest.raises(InvalidError, match="starts_at has passed"):
        plan(desk, starts_at=(desk.now - timedelta(minutes=5)).isoformat())
    later = (desk.now + timedelta(minutes=5)).isoformat()
    drill = plan(desk, starts_at=later, receivers=["crew"])
    pass_time(desk, minutes=4)
    assert desk.said("crew") == []
    pass_time(desk, minutes=1)
    assert (desk.said("crew"), desk.said("duty"), desk.said("other")) == (["started"], [], [])
    row = desk.conn.execute("SELECT body FROM outbox WHERE drill = %s", [drill]).fetchone()
    assert row is not None
    told = json.loads(row[0])
    for contract in (json_schema(record_of("drill")), schema()):
        jsonschema.validate(told, contract, cls=jsonschema.Draft202012Validator)
    assert (told["type"], told["data"]["exercise"]) == ("drill.started", True)
    assert (told["data"]["severity"]["level"], "respond" in told) == (2, True)
    begun = desk.now
    desk.conn.execute("UPDATE outbox SET first_delivered_at = %s", [begun])
    at = begun + timedelta(seconds=42)
    respond(desk.conn, f"drill-{drill}", "accepted", "crew", "crew", at, via="link")
    (result,) = performances(desk.conn, drill)
    assert (result.receiver, result.accepted_s, result.done_s) == ("crew", 42.0, None)
    found = in_sum(desk.conn, [drill])[drill]
    assert (found.told, found.delivered, found.accepted, found.accepted_p50_s) == (1, 1, 1, 42.0)
    assert clocks(desk.conn, begun)[1].count == 0, "drills do not colour the real clocks"
    pass_time(desk, minutes=9)
    assert desk.said("crew") == ["started"]
    pass_time(desk, minutes=1)
    assert desk.said("crew") == ["started", "ended"]
    with pytest.raises(RefusedError, match="not possible in state over"):
        end(desk, drill)
    again = plan(desk)
    pass_time(desk, seconds=1)
    end(desk, again)
    pass_time(desk, seconds=1)
    assert desk.said("crew")[2:] == desk.said("other") == ["started", "ended"]
    off = plan(desk, starts_at=(desk.now + timedelta(minutes=5)).isoformat())
    end(desk, off, "cancel")
    pass_time(desk, minutes=6)
    assert len(desk.said("other")) == 2, "a drill that was called off is not told"
    assert verify_states(desk.conn, "drill") == []


def test_two_loops_begin_a_drill_once(desk: Desk, tmp_path: Path) -> None:
    dsn = desk.conn.info.dsn + f" password={desk.conn.info.password}"
    add_receiver(dsn, tmp_path, Stub(9), "crew", channel="exercise", routed=False)
    drill = plan(desk)
    with connect(dsn, "other", autocommit=True) as other:
        for conn in (desk.conn, other, desk.conn):
            tick(conn, lambda _: desk.now)
    desk.later(seconds=0)
    assert desk.said("crew") == ["started"]
    assert [e.move for e in log_of(desk.conn, drill)] == ["open", "start"]


def test_the_database_refuses_a_drill_to_a_channel_that_is_acted_upon(
    desk: Desk, tmp_path: Path
) -> None:
    dsn = desk.conn.info.dsn + f" password={desk.conn.info.password}"
    add_receiver(dsn, tmp_path, Stub(9), "crew", channel="exercise")
    drill = plan(desk)
    pass_time(desk, seconds=1)
    duty = load_addresses(desk.conn)["duty"]
    change = desk.take(transition(1))[0]
    event = change.event(desk.settings)
    wrong = {
        psycopg.errors.ForeignKeyViolation: Letter(
            duty, "k", (event,), channel="exercise", drill=drill
        ),
        psycopg.errors.CheckViolation: Letter(duty, "k", (event,), drill=drill),
    }
    for error, letter in wrong.items():
        with pytest.raises(error):
            put(desk.conn, [letter], links_of(desk.settings), NOW)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):  # nor may crew change its channel now
        desk.conn.execute("UPDATE receivers SET channel = 'actual' WHERE name = 'crew'")


def test_a_link_is_looked_at_clicked_and_ends(place: Place, stub: Stub) -> None:
    add_receiver(place.dsn, place.folder, stub, "clickers", channel="exercise")
    place.spawn("alerts", "deliver")
    sent = {"fields": {"title": "演练", "instruction": "回执", "receivers": ["clickers"]}}
    assert place.call("viewer", "POST", "/records/drill", json=sent).status_code == 403
    drill = place.call("operator", "POST", "/records/drill", json=sent).json()
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        settings = AlertSettings(
            state_dir=place.folder, console=str(place.clients["viewer"].base_url).rstrip("/")
        )
        notifier = Notifier(read_routes(DEFAULT_ROUTES), links_of(settings))
        assert tick(conn) >= 1, "other tests' drills have timers too"
        assert notify_records(conn, notifier, settings, datetime.now(UTC)) >= 2
        wait_until(lambda: len(stub.got) == 1, 20.0, "the drill's webhook")
        link = json.loads(stub.got[0][1])["respond"]
        message = link.rsplit("/", 1)[1].split(".")[0]
        logged = place.call("viewer", "GET", f"/deliveries/{message}").json()["body"]
        assert message in logged
        assert link not in logged, "who may read the log may not answer for a receiver"
        with httpx.Client(timeout=30) as browser:
            page = browser.get(link)
            assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
            assert "演练" in page.text
            assert (
                place.call("viewer", "GET", f"/responses?subject=drill-{drill['id']}").json() == []
            )
            for _ in range(2):
                clicked = browser.post(link, data={"step": "accepted"})
                assert "✓ 接受任务" in clicked.text
            assert browser.post(link, data={"step": "fly"}).status_code == 422
            assert browser.get(link[:-1]).status_code == 404
            conn.execute("UPDATE outbox SET created_at = created_at - interval '4 days'")
            assert browser.post(link, data={"step": "done"}).status_code == 404, "links end"
    given = place.call("viewer", "GET", f"/responses?subject=drill-{drill['id']}").json()
    assert [(g["step"], g["receiver"], g["via"]) for g in given] == [
        ("accepted", "clickers", "link")
    ]
    (result,) = place.call("viewer", "GET", f"/records/drill/{drill['id']}/answers").json()
    assert result["accepted_s"] > 0
    by_api = {"subject": f"drill-{drill['id']}", "step": "on_site", "receiver": "clickers"}
    assert place.call("operator", "POST", "/responses", json=by_api).status_code == 204
    assert (
        place.call("operator", "POST", "/responses", json=by_api | {"subject": "x"}).status_code
        == 404
    )
    assert place.call("viewer", "GET", "/responses/clocks").json()[0]["step"] == "received"
    assert place.audits("response")[0].target == f"drill-{drill['id']}"
