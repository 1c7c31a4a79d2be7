"""Things: placed, with a state that follows from what is known; records name them."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from catalog.errors import InvalidError, NotFoundError
from records import openings
from records.act import act, open_record
from records.context import Context
from records.queries import get_record
from records.things.loop import place_all, watch
from records.things.queries import (
    Wanted,
    count_things,
    get_thing,
    history_of,
    list_things,
    near_things,
    states_of_things,
    thing_of,
)
from service.postgres import now_of

LAMP, POLE = "renmin-south-003", "lamp:renmin-south-003"
CASE = {"subclass": "P0106", "source": "collector"}


@pytest.fixture
def city(conn: Connection) -> Connection:
    place_all(conn)
    watch(conn)
    return conn


def heard(conn: Connection, stream: str, sensor: str, **metrics: float) -> None:
    names = ", ".join(metrics)
    values = ", ".join("%s" for _ in metrics)
    over = ", ".join(f"{name} = excluded.{name}" for name in metrics)
    conn.execute(
        f"INSERT INTO last_{stream} (sensor, observed_at, received_at, {names})"
        f" VALUES (%s, now(), now(), {values}) ON CONFLICT (sensor) DO UPDATE SET"
        f" observed_at = now(), {over}".encode(),
        [sensor, *metrics.values()],
    )


def alarmed(conn: Connection, rule: str, sensor: str) -> None:
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
        " raised_at, changed_at) VALUES ('e1', %s, %s, %s, 'active', 1, 1, now(), now())",
        [rule, rule.split(".")[0], sensor],
    )


def state(conn: Connection, kind: str, id: str) -> str:
    watch(conn)
    return get_thing(conn, thing_of(kind), id).thing.state


def test_the_state_follows_reading_alert_record_and_silence(city: Connection) -> None:
    lamp, staff = "lamp-renmin-south", Context(city, "staff", "page", "operator")
    assert state(city, "lamp", LAMP) == "unknown"
    heard(city, "lamp_circuit", lamp, lit_pct=99.0, leak_ma=3.0)
    assert state(city, "lamp", LAMP) == "ok"
    done = open_record(staff, "case", {**CASE, "thing": POLE})
    assert state(city, "lamp", LAMP) == "repair"
    assert state(city, "lamp", "renmin-south-004") == "ok"
    alarmed(city, "lamp_circuit.leakage", lamp)
    assert state(city, "lamp", LAMP) == "leaking"
    city.execute("UPDATE episodes SET cleared_at = now()")
    act(staff, "case", done.id, "reject", reason="not_found")
    assert state(city, "lamp", LAMP) == "ok"
    past = history_of(city, thing_of("lamp"), LAMP, 10)
    assert [(one.state, one.cause) for one in reversed(past)] == [
        ("unknown", "silent"),
        ("ok", ""),
        ("repair", "record case"),
        ("leaking", "alert lamp_circuit.leakage"),
        ("ok", ""),
    ]
    assert watch(city) == 0


def test_a_last_fact_counts_for_so_long(city: Connection) -> None:
    (one, *_) = list_things(city, thing_of("gantry"), Wanted())
    assert one.state == "quiet" and one.shows == {"passed": None}
    at = now_of(city) - timedelta(minutes=14)
    city.execute(
        "INSERT INTO facts_gantry_passage (thing, id, at, revision, void, received_at, lag_s, odd)"
        " VALUES (%s, 'p1', %s, 0, false, now(), 0, '')",
        [one.thing, at],
    )
    assert state(city, "gantry", one.thing) == "passed"
    city.execute("UPDATE facts_gantry_passage SET at = at - interval '2 minutes'")
    assert state(city, "gantry", one.thing) == "quiet"


def test_where_it_is_what_it_shows_and_what_belongs_to_it(city: Connection) -> None:
    heard(city, "bridge", "bridge-jiuyan", strain_ue=12.5, tilt_deg=0.01)
    page = get_thing(city, thing_of("bridge"), "bridge-jiuyan")
    assert page.thing.shows == {"strain": 12.5, "tilt": 0.01}
    assert (page.thing.district, page.thing.attributes["level2_ue"]) == ("510104", 260)
    assert [row.thing for row in page.parents] == ["roads"]
    parts = get_thing(city, thing_of("department"), "roads").parts
    assert {row.kind for row in parts} == {"bridge"}
    assert page.thing.thing in {row.thing for row in parts}
    around = near_things(city, 104.0925, 30.6390, 300)
    assert around[0]["thing"] == "bridge-jiuyan" and around[0]["distance_m"] < 1
    assert all(row["distance_m"] <= 300 for row in around)
    with pytest.raises(NotFoundError):
        get_thing(city, thing_of("bridge"), "nowhere")


def test_lists_are_filtered_counted_and_begin_with_the_worst(city: Connection) -> None:
    heard(city, "bin", "bin-510104-01", fill_pct=10.0)
    heard(city, "bin", "bin-510104-02", fill_pct=70.0)
    watch(city)
    found = list_things(city, thing_of("bin"), Wanted(district="510104"))
    assert [row.state for row in found] == ["filling", "ok"]
    assert count_things(city, thing_of("bin"), Wanted(district="510104", state="ok")) == 1
    counts = states_of_things(city)["bin"]
    assert (counts["filling"], counts["burning"]) == (1, 0)
    assert sum(counts.values()) == count_things(city, thing_of("bin"), Wanted())
    assert list_things(city, thing_of("bin"), Wanted(search="x'; DROP TABLE things --")) == []


def test_a_case_takes_the_place_of_its_lamp_and_none_that_is_not_there(city: Connection) -> None:
    staff = Context(city, "staff", "page", "operator")
    done = open_record(staff, "case", {**CASE, "thing": POLE})
    row = get_record(city, openings.records()["case"], done.id)
    assert (row.lon, row.lat, row.district) == (104.0657, 30.6368, "510107")
    for wrong in ("lamp:nowhere", "collector:post-510104-1", "lamp"):
        with pytest.raises(InvalidError):
            open_record(staff, "case", {**CASE, "thing": wrong, "lon": 104.0, "lat": 30.6})


def test_an_alert_opens_a_case_that_names_the_bin(city: Connection) -> None:
    facts: dict[str, Any] = {"episode": "e9", "rule": "bin.full", "stream": "bin", "severity": 3}
    facts |= {"sensor": "bin-510104-01", "lon": 104.08, "lat": 30.65, "title": "满"}
    openings.ask(city, facts)
    openings.open_asked(Context(city, "cityops", "engine"))
    fields = city.execute("SELECT fields FROM records WHERE kind = 'case'").fetchall()
    assert [row[0]["thing"] for row in fields] == ["bin:bin-510104-01"]
    assert state(city, "bin", "bin-510104-01") == "repair"


def test_what_is_placed_no_more_is_not_listed_and_keeps_its_past(city: Connection) -> None:
    city.execute("UPDATE sensors SET status = 'retired' WHERE sensor = 'bin-510104-01'")
    place_all(city)
    bins = list_things(city, thing_of("bin"), Wanted(district="510104"))
    assert "bin-510104-01" not in {row.thing for row in bins}
    page = get_thing(city, thing_of("bin"), "bin-510104-01")
    assert not page.thing.present and page.history
