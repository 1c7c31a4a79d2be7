"""The index over the API: counted from what is there, and every number opens what it counts."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from storage.api_keys import add_key

NAME = "/api/v1/index/vital_signs"
QINGYANG = "510105"


@pytest.fixture
def viewer(client: httpx.Client, conn: psycopg.Connection) -> Iterator[httpx.Client]:
    client.headers["Authorization"] = f"Bearer {add_key(conn, 'index', ['api:viewer'])}"
    conn.execute("TRUNCATE episodes CASCADE")
    conn.execute("DELETE FROM last_waterlogging")
    yield client
    conn.execute("TRUNCATE episodes CASCADE")
    conn.execute("DELETE FROM last_waterlogging")


def part(tree: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        tree = next(p for p in tree["parts"] if p["name"] == name)
    return tree


def report(conn: psycopg.Connection) -> None:
    """Let every ponding sensor have a fresh reading."""
    conn.execute(
        "INSERT INTO last_waterlogging (sensor, observed_at, received_at, depth_m)"
        " SELECT sensor, now(), now(), 0 FROM sensors WHERE stream = 'waterlogging'"
    )


def test_what_is_not_known_is_na_and_what_is_red_caps(
    viewer: httpx.Client, conn: psycopg.Connection
) -> None:
    silent = viewer.get(NAME).json()
    ponding = part(silent["city"], "safety", "ponding")
    assert (ponding["score"], ponding["why"], ponding["known"]) == (None, "incomplete", 0)
    assert silent["city"]["why"] == "incomplete" and len(silent) > 20
    report(conn)
    dry = viewer.get(NAME).json()
    assert part(dry["city"], "safety", "ponding")["score"] == 100
    assert part(dry["city"], "safety")["score"] is None  # rivers are silent
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES ('index-flood', 'waterlogging.ponding',"
        " 'waterlogging', 'pond-peifeng', 'active', 1, 1, 'depth_m', 0.4, 0.3, now(), now())"
    )
    wet = viewer.get(NAME).json()
    assert wet[QINGYANG]["red"] == ["ponding"] and wet["city"]["red"] == ["ponding"]
    assert wet["510104"]["red"] == []
    for place in ("city", QINGYANG, "510104"):
        number = part(wet[place], "safety", "ponding")
        items = viewer.get(f"{NAME}/{place}/ponding").json()
        values = [item["value"] for item in items if item["known"]]
        assert (len(values), len(items)) == (number["known"], number["of"])
        assert number["value"] == pytest.approx(sum(values) / len(values))
    first = viewer.get(f"{NAME}/city/ponding").json()[0]
    assert (first["id"], first["alert"], first["red"]) == ("pond-peifeng", "index-flood", True)


@pytest.mark.parametrize(
    "path", ["/nothing", "/vital_signs/city/nothing", "/vital_signs/9/ponding"]
)
def test_what_is_not_there_is_said(viewer: httpx.Client, path: str) -> None:
    assert viewer.get(f"/api/v1/index{path}").status_code == 404
