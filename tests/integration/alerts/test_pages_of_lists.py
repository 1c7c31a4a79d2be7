"""Lists of alerts never end in silence: each says how many there are and where the rest is."""

from typing import Any

import pytest
from psycopg import Connection

from tests.support.alerting import Place

COUNT = 1522


@pytest.fixture
def storm(conn: Connection) -> None:
    """As many open alerts as a bad night has, each with its change."""
    columns = "rule, stream, sensor, severity, metric, value, threshold"
    values = "'noise.night', 'noise', 'storm-' || n, 1 + n % 4, 'leq_20min', 61, 50"
    conn.execute(
        f"INSERT INTO episodes (id, status, peak_severity, raised_at, changed_at, {columns})"
        f" SELECT 'storm-' || n, 'active', 1, now(), now(), {values}"
        f" FROM generate_series(1, {COUNT}) n".encode()
    )
    conn.execute(
        f"INSERT INTO transitions (id, episode, kind, observed_at, produced_at, {columns})"
        f" SELECT 'storm-' || n, 'storm-' || n, 'raised', now(), now(), {values}"
        f" FROM generate_series(1, {COUNT}) n".encode()
    )
    conn.execute(
        "INSERT INTO silences (kind, matchers, author, reason, starts_at, ends_at)"
        " SELECT 'silence', '[]', 'li', 'x', now(), now() + n * interval '1 minute'"
        " FROM generate_series(1, 700) n"
    )


def all_pages(place: Place, path: str, role: str = "viewer") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(100):
        answer = place.call(role, "GET", path)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        if "next" not in answer.links:
            return found
        path = answer.links["next"]["url"]
    raise AssertionError("pages without end")


def test_every_page_of_a_storm_is_reached(place: Place, storm: None) -> None:
    for path in ("alerts", "episodes?state=open", "transitions?sensor=", "alerts?limit=97"):
        ids = [row["id"] for row in all_pages(place, f"/{path}")]
        mine = [id for id in ids if id.startswith("storm-")]
        assert len(mine) == len(set(ids) & {f"storm-{n}" for n in range(1, COUNT + 1)}) == COUNT
    first = place.call("viewer", "GET", "/alerts")
    assert len(first.json()) == 500
    assert first.headers["X-Total-Count"] == str(COUNT)
    few = place.call("viewer", "GET", "/alerts?severity=1&limit=5000")
    assert "next" not in few.links
    assert few.headers["X-Total-Count"] == str(len(few.json()))
    assert len(place.call("viewer", "GET", "/api/v2/alerts").json()) == COUNT
    assert len(all_pages(place, "/silences")) == 700
    numbers = [row["seq"] for row in all_pages(place, "/audit?limit=3", "admin")]
    assert numbers == list(range(numbers[0], 0, -1))
