"""Matchers of viewers and operators that would keep a backtracking engine busy for ever."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.support.alerting import Place

DEADLINE_S = 5.0
PATTERNS = ["(a|a)+b", "(a+)+", "(.|.|.)+!", "(.*)*(.*)*(.*)*b"]
NO_SUCH_SYNTAX = ["(?=x).*", r"(a)\1", "(?<!x)a", "["]


def span(hours: float) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=hours)).isoformat()}


def field_of(answer: Any) -> str:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["errors"][0]["field"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_stops_the_console(place: Place, conn: Connection, pattern: str) -> None:
    labels = {"alertname": "Long", "note": "a" * 40 + "?", "path": "a" * 4000 + "?"}
    began = time.monotonic()
    pushed = [{"labels": labels}]
    assert place.call("operator", "POST", "/api/v2/alerts", json=pushed).status_code == 200
    for label in ("alertname", "note", "path"):
        filter = f'{label}=~"{pattern}"'
        found = place.call("viewer", "GET", "/api/v2/alerts", params={"filter": filter})
        assert (found.status_code, found.json()) == (200, [])
        matcher = {"name": label, "op": "=~", "value": pattern}
        preview = place.call("viewer", "POST", "/silences/preview", json={"matchers": [matcher]})
        assert preview.json()["count"] == 0
        draft = {"matchers": [matcher], "reason": "x"} | span(1)
        assert place.call("operator", "POST", "/silences", json=draft).status_code == 201
    assert place.call("operator", "POST", "/api/v2/alerts", json=pushed).status_code == 200
    assert place.call("viewer", "GET", "/api/v2/alerts").status_code == 200
    assert time.monotonic() - began < DEADLINE_S


@pytest.mark.parametrize("pattern", NO_SUCH_SYNTAX)
def test_syntax_that_is_not_linear_is_refused_at_every_door(place: Place, pattern: str) -> None:
    for query in ({"filter": f'note=~"{pattern}"'}, {"receiver": pattern}):
        refused = place.call("viewer", "GET", "/api/v2/alerts", params=query)
        assert field_of(refused) == f"query.{next(iter(query))}"
        assert "not a regular expression here" in refused.json()["errors"][0]["detail"]
    refused = place.call("viewer", "GET", "/api/v2/silences", params={"filter": f"a=~{pattern}"})
    assert field_of(refused) == "query.filter"
    matchers = {"matchers": [{"name": "note", "op": "=~", "value": pattern}]}
    refused = place.call("viewer", "POST", "/silences/preview", json=matchers)
    assert field_of(refused) == "body.matchers.0.value"
    refused = place.call("operator", "POST", "/silences", json=matchers | {"reason": "x"} | span(1))
    assert field_of(refused) == "body.matchers.0.value"
    theirs = {
        "matchers": [{"name": "note", "value": pattern, "isRegex": True}],
        "startsAt": span(1)["starts_at"],
        "endsAt": span(1)["ends_at"],
        "comment": "x",
        "createdBy": "li",
    }
    refused = place.call("operator", "POST", "/api/v2/silences", json=theirs)
    assert field_of(refused).startswith("body")


def test_a_silence_by_what_an_alert_is_not_is_set(place: Place, conn: Connection) -> None:
    draft = {"matchers": [{"name": "severity", "op": "!=", "value": "red"}], "reason": "x"}
    made = place.call("operator", "POST", "/silences", json=draft | span(1))
    assert made.status_code == 201, made.text
    everything = {"matchers": [{"name": "alertname", "op": "=~", "value": ".+"}]}
    refused = place.call("operator", "POST", "/silences", json=draft | everything | span(1))
    assert "fit every alert" in refused.json()["errors"][0]["detail"]


def test_a_silence_that_is_over_already_is_refused(place: Place, conn: Connection) -> None:
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=2), now - timedelta(hours=1)
    draft = {"matchers": [{"name": "severity", "value": "red"}], "reason": "x"}
    ours = draft | {"starts_at": begin.isoformat(), "ends_at": end.isoformat()}
    assert field_of(place.call("operator", "POST", "/silences", json=ours)) == "body.ends_at"
    theirs = {"matchers": [{"name": "severity", "value": "red", "isRegex": False}], "comment": "x"}
    theirs |= {"createdBy": "li", "startsAt": begin.isoformat(), "endsAt": end.isoformat()}
    refused = place.call("operator", "POST", "/api/v2/silences", json=theirs)
    assert field_of(refused) == "body.endsAt"
    assert conn.execute("SELECT count(*) FROM silences").fetchone() == (0,)
