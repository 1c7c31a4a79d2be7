"""Facts at the door: every fault named, none repeats a value, secrets leave as hashes."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.fact.rows import HASH
from catalog.registry import facts
from ingest.day_keys import DayKeys, day_of
from ingest.fact_routes import example, request_schema
from ingest.facts import parse_facts
from ingest.readings import Refused

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
FACT = facts()["gantry_passage"]
PLATE = "川A12345"


def keys(now: datetime = NOW) -> DayKeys:
    made = DayKeys()
    made._keys = {day_of(now) - timedelta(days=n): bytes([n + 1]) * 32 for n in range(-1, 6)}
    return made


def passage(**more: Any) -> dict[str, Any]:
    """Return a sound passage; a field given as None is left out."""
    one = {"thing": "gantry-01", "id": "p-1", "at": NOW.isoformat(), "medium": "obu"}
    one |= {"result": "ok", "fee_fen": 512, "plate": PLATE, "unit_plate": PLATE} | more
    return {name: value for name, value in one.items() if value is not None}


def parse(*given: Any) -> list[dict[str, Any]]:
    return parse_facts(FACT, json.dumps({"facts": list(given)}).encode(), NOW, keys())


def refused(*given: Any) -> list[tuple[int | None, str, str]]:
    with pytest.raises(Refused) as info:
        parse(*given)
    assert not any(PLATE in e.detail or PLATE in e.field for e in info.value.errors)
    return [(e.item, e.field, e.rule) for e in info.value.errors]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"thing": None}, "thing", "required"),
        ({"thing": "no gantry"}, "thing", "text"),
        ({"thing": "g\n"}, "thing", "text"),
        ({"id": None}, "id", "required"),
        ({"id": ""}, "id", "text"),
        ({"id": 7}, "id", "text"),
        ({"at": None}, "at", "required"),
        ({"at": "2026-11-24T04:00:00"}, "at", "time"),
        ({"at": "yesterday"}, "at", "time"),
        ({"at": "0001-01-01T00:00:00+08:00"}, "at", "time"),
        ({"at": 5}, "at", "time"),
        ({"at": (NOW + timedelta(minutes=6)).isoformat()}, "at", "future"),
        ({"at": (NOW - timedelta(days=4)).isoformat()}, "at", "too_late"),
        ({"revision": 0}, "revision", "whole"),
        ({"revision": True}, "revision", "whole"),
        ({"revision": 2**31}, "revision", "whole"),
        ({"void": 1}, "void", "type"),
        ({"medium": None}, "medium", "required"),
        ({"medium": "cash"}, "medium", "value"),
        ({"medium": ["obu"]}, "medium", "value"),
        ({"plate": ""}, "plate", "text"),
        ({"plate": "x" * 65}, "plate", "text"),
        ({"plate": "\x00"}, "plate", "text"),
        ({"plate": "\ud800"}, "plate", "text"),
        ({"fee_fen": None}, "fee_fen", "required"),
        ({"fee_fen": 5.12}, "fee_fen", "whole"),
        ({"fee_fen": 512.0}, "fee_fen", "whole"),
        ({"fee_fen": True}, "fee_fen", "whole"),
        ({"fee_fen": "512"}, "fee_fen", "whole"),
        ({"fee_fen": -1}, "fee_fen", "span"),
        ({"fee_fen": 10**30}, "fee_fen", "span"),
        ({"colour": "red"}, "colour", "unknown"),
        ({"lag_s": 5}, "lag_s", "unknown"),
    ],
)
def test_a_fault_is_told_by_item_field_and_rule(change: Any, field: str, rule: str) -> None:
    assert refused(passage(id="p-0"), passage(**change)) == [(1, field, rule)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"facts": ' + b"9" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'{"facts": {}}', 422),
        (b'{"facts": []}', 422),
        (b'{"facts": [1]}', 422),
        (b'{"facts": [{}], "more": 1}', 422),
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(Refused) as info:
        parse_facts(FACT, body, NOW, keys())
    assert info.value.status == status


@settings(max_examples=30, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_nothing_in_a_field_is_more_than_refused(value: Any) -> None:
    for name in passage():
        try:
            parse(passage(**{name: value}))
        except Refused as error:
            assert {e.field for e in error.errors} <= {name, "facts"}


def test_a_field_that_is_twice_is_a_contradiction() -> None:
    body = json.dumps({"facts": [passage()]})[:-3] + ', "fee_fen": 1}]}'
    with pytest.raises(Refused) as info:
        parse_facts(FACT, body.encode(), NOW, keys())
    assert [(e.field, e.rule) for e in info.value.errors] == [("fee_fen", "contradiction")]


def test_two_bodies_of_one_revision_contradict() -> None:
    assert refused(passage(), passage(fee_fen=1)) == [(1, "id", "contradiction")]
    assert len(parse(passage(), passage(revision=2, fee_fen=1), passage())) == 3


def test_a_plate_is_hashed_by_the_key_of_its_day() -> None:
    yesterday = (NOW - timedelta(days=1)).isoformat()
    one, same, other, before = parse(
        passage(),
        passage(id="p-2"),
        passage(id="p-3", plate="川B00001"),
        passage(id="p-4", at=yesterday),
    )
    assert HASH.match(one["plate"]) and PLATE not in repr(one)
    assert one["plate"] == one["unit_plate"] == same["plate"] != other["plate"]
    assert before["plate"] != one["plate"]


def test_the_day_of_a_key_is_the_sites() -> None:
    """16:00 UTC is midnight in Chengdu."""
    assert day_of(datetime(2026, 11, 24, 15, 59, tzinfo=UTC)) == date(2026, 11, 24)
    assert day_of(datetime(2026, 11, 24, 16, 0, tzinfo=UTC)) == date(2026, 11, 25)


def test_the_example_of_every_kind_is_taken() -> None:
    for fact in facts().values():
        body = example(fact)
        body["facts"][0]["at"] = NOW.isoformat()
        assert len(parse_facts(fact, json.dumps(body).encode(), NOW, keys())) == 1
        assert request_schema(fact)["content"]["application/json"]["example"]
