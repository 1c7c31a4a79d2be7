"""Signed links, the clocks they drive, and drills: stepwise, and over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY

from alerts.delivery.links import Links, links_of
from alerts.delivery.outbox import Letter, load_addresses, put
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES, AlertSettings
from alerts.sources.drills import (
    DrillDraft,
    cancel_drill,
    drill_event,
    get_drill,
    plan_drill,
    run_drills,
)
from alerts.sources.responses import STEPS, clocks, respond
from catalog.errors import ConflictError
from tests.support.alerting import NOW, Desk, Place, Stub, add_receiver, transition
from tests.support.servers import wait_until

DRILL = DrillDraft(title="积水演练", instruction="报到", minutes=10)


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
        plan_drill(desk.conn, DRILL, "li", desk.now)
    dsn = desk.conn.info.dsn + f" password={desk.conn.info.password}"
    add_receiver(dsn, tmp_path, Stub(9), "crew", channel="exercise", routed=False)
    with pytest.raises(ConflictError, match="duty"):
        plan_drill(desk.conn, DRILL.model_copy(update={"receivers": ["duty"]}), "li", desk.now)
    later = DRILL.model_copy(update={"starts_at": desk.now + timedelta(minutes=5)})
    drill = plan_drill(desk.conn, later, "li", desk.now)
    desk.later(minutes=1)
    assert desk.said("crew") == []
    desk.later(minutes=5)
    assert (desk.said("crew"), desk.said("duty")) == (["started"], [])
    row = desk.conn.execute("SELECT body FROM outbox WHERE drill = %s", [drill.id]).fetchone()
    assert row is not None
    told = json.loads(row[0])
    assert (told["type"], told["data"]["exercise"]) == ("drill.started", True)
    begun = desk.now
    desk.conn.execute("UPDATE outbox SET first_delivered_at = %s", [begun])
    at = begun + timedelta(seconds=42)
    respond(desk.conn, f"drill-{drill.id}", "accepted", "crew", "crew", at, via="link")
    (result,) = get_drill(desk.conn, drill.id).results
    assert (result.receiver, result.accepted_s, result.done_s) == ("crew", 42.0, None)
    assert clocks(desk.conn, begun)[1].count == 0, "drills do not colour the real clocks"
    desk.later(minutes=20)
    assert desk.said("crew") == ["started", "ended"]
    with pytest.raises(ConflictError, match="over"):
        cancel_drill(desk.conn, drill.id, "li", desk.now)
    again = plan_drill(desk.conn, DRILL, "li", desk.now)
    desk.later(seconds=1)
    cancel_drill(desk.conn, again.id, "li", desk.now)
    desk.later(seconds=1)
    assert desk.said("crew")[2:] == ["started", "ended"]


def test_the_database_refuses_a_drill_to_a_channel_that_is_acted_upon(
    desk: Desk, tmp_path: Path
) -> None:
    dsn = desk.conn.info.dsn + f" password={desk.conn.info.password}"
    add_receiver(dsn, tmp_path, Stub(9), "crew", channel="exercise")
    drill = plan_drill(desk.conn, DRILL, "li", desk.now)
    event, duty = drill_event(drill, "started", NOW), load_addresses(desk.conn)["duty"]
    wrong = {
        psycopg.errors.ForeignKeyViolation: Letter(
            duty, "k", (event,), channel="exercise", drill=drill.id
        ),
        psycopg.errors.CheckViolation: Letter(duty, "k", (event,), drill=drill.id),
    }
    for error, letter in wrong.items():
        with pytest.raises(error):
            put(desk.conn, [letter], links_of(desk.settings), NOW)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        desk.later(seconds=1)  # the drill is told to crew; then crew may not change its channel
        desk.conn.execute("UPDATE receivers SET channel = 'actual' WHERE name = 'crew'")


def test_a_link_is_looked_at_clicked_and_ends(place: Place, stub: Stub) -> None:
    add_receiver(place.dsn, place.folder, stub, "clickers", channel="exercise")
    place.spawn("alerts", "deliver")
    sent = {"title": "演练", "instruction": "回执", "receivers": ["clickers"]}
    assert place.call("viewer", "POST", "/drills", json=sent).status_code == 403
    drill = place.call("operator", "POST", "/drills", json=sent).json()
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        settings = AlertSettings(
            state_dir=place.folder, console=str(place.clients["viewer"].base_url).rstrip("/")
        )
        notifier = Notifier(read_routes(DEFAULT_ROUTES), links_of(settings))
        assert run_drills(conn, notifier, datetime.now(UTC)) == 1
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
    (result,) = place.call("viewer", "GET", f"/drills/{drill['id']}").json()["results"]
    assert result["accepted_s"] > 0
    by_api = {"subject": f"drill-{drill['id']}", "step": "on_site", "receiver": "clickers"}
    assert place.call("operator", "POST", "/responses", json=by_api).status_code == 204
    assert (
        place.call("operator", "POST", "/responses", json=by_api | {"subject": "x"}).status_code
        == 404
    )
    assert place.call("viewer", "GET", "/responses/clocks").json()[0]["step"] == "received"
    assert place.audits("response")[0].target == f"drill-{drill['id']}"
