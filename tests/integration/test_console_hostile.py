"""Whatever is sent to the console is answered by a problem document: bodies, text, numbers."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from deploy.ports import free_port
from storage.api_keys import add_key
from tests.support.databases import Databases
from tests.support.operations import (
    Operation,
    as_json,
    as_query,
    places,
    replaced,
    sample,
    with_parameters,
)
from tests.support.servers import Spawned, Spawner

CLEANED = ("/api/v1/incoming/", "/api/v2/alerts")
ODD = ["\x00", "a\x00b", "\ud800", "a\udfffb", "\x1b[31m", "\x7f", "\x85"]
LEGAL = [
    "",
    " ",
    "'",
    '"; DROP TABLE audit; --',
    "%",
    "\\",
    "\u202e",
    "😀",
    "水泵" * 9,
    "-1",
    "null",
]
LONG = "x" * 5_000
NUMBERS = ["inf", "-inf", "nan", "1e308", "-1", "0", str(10**30), "9" * 5_000, "", "x"]
TIMES = ["2026-11-30T01:30:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "x", "1e308"]


@dataclass(frozen=True)
class Place:
    """One console, an administrator's client of it, and its process."""

    url: str
    dsn: str
    client: httpx.Client
    process: Spawned


@pytest.fixture(scope="module")
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with databases.fresh(migrated=True) as dsn:
        url = f"http://127.0.0.1:{free_port()}"
        base = {"CITYOPS_DSN": dsn, "CITYOPS_CONSOLE": url}
        with psycopg.connect(dsn, autocommit=True) as conn:
            bearer = {"Authorization": f"Bearer {add_key(conn, 'admin', ['api:*'])}"}
        with Spawner(tmp_path_factory.mktemp("console"), base).stopping() as spawner:
            console = spawner("console", name="console", deadline_s=60.0)
            with httpx.Client(base_url=url, headers=bearer, timeout=30) as client:
                yield Place(url, dsn, client, console)


@pytest.fixture(scope="module")
def description(place: Place) -> dict[str, Any]:
    return place.client.get("/api/v1/openapi.json").json()


@pytest.fixture(scope="module")
def operations(description: dict[str, Any]) -> list[Operation]:
    found = []
    for path, methods in description["paths"].items():
        if path.endswith("/events"):
            continue  # never ends; its parameters have the test below
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            parameters = told.get("parameters", [])
            found.append(Operation(method.upper(), path, parameters, content.get("schema")))
    assert len(found) > 60
    return found


def answered(answer: httpx.Response, asked: str, *, refused: bool | None = None) -> None:
    """An answer is a success or a problem document, never a fault of ours."""
    assert answer.status_code < 500, f"{asked}: {answer.status_code} {answer.text}"
    if answer.status_code >= 400:
        kind = answer.headers["content-type"]
        assert kind == "application/problem+json", f"{asked}: {kind} {answer.text}"
        assert answer.json()["status"] == answer.status_code
    if refused is not None:
        assert (answer.status_code >= 400) is refused, f"{asked}: {answer.status_code}"


def test_every_parameter_takes_hostile_text(
    place: Place, operations: list[Operation], description: dict[str, Any]
) -> None:
    for op in operations:
        for parameter in op.parameters:
            if parameter["in"] == "header":
                continue
            for text in [*ODD, *LEGAL, LONG, *NUMBERS, *TIMES]:
                given = {parameter["name"]: as_query(text)}
                address = with_parameters(op, description, **given)
                body = {} if op.body is None else as_json(sample(op.body, description))
                answer = place.client.request(op.method, address, **body)
                refused = True if text in (*ODD, LONG) else None
                answered(answer, f"{op.method} {address[:200]}", refused=refused)
                if text in ODD:
                    assert answer.status_code == 422, address


def test_every_text_of_every_body_takes_hostile_text(
    place: Place, operations: list[Operation], description: dict[str, Any]
) -> None:
    for op in operations:
        if op.body is None:
            continue
        fitting = sample(op.body, description)
        address = with_parameters(op, description)
        for at, value in places(fitting):
            texts = [*ODD, *LEGAL, LONG, *TIMES] if isinstance(value, str) else []
            numbers = [1e308, -1, 0, 10**30, "x", None, [], {}, True, float("nan"), float("inf")]
            for hostile in [*texts, *numbers]:
                body = as_json(replaced(fitting, at, hostile))
                answer = place.client.request(op.method, address, **body)
                answered(answer, f"{op.name} {at} {hostile!r}"[:300])
                if hostile in ODD and not op.path.startswith(CLEANED):
                    assert answer.status_code == 422, (op.name, at, hostile)
                    assert answer.json()["errors"][0]["field"].startswith("body")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b'{"text": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"text": ' + b"1" * 10_000 + b"}",
        b'{"\\ud800": 1}',
        b'{"text": NaN}',
        b'"',
        b"",
        '{"text": "a"}'.encode("utf-16"),
    ],
)
def test_every_body_that_is_no_json_is_refused(
    place: Place, operations: list[Operation], description: dict[str, Any], body: bytes
) -> None:
    for op in operations:
        if op.body is not None:
            address = with_parameters(op, description)
            kind = {"Content-Type": "application/json"}
            answer = place.client.request(op.method, address, content=body, headers=kind)
            answered(answer, f"{op.name} {body[:20]!r}")


@pytest.mark.parametrize("path", ["/api/v1/%00", "/api/nope/%ff", "/alerts/%00", "/respond/%00"])
def test_odd_paths_are_refused_everywhere(place: Place, path: str) -> None:
    answer = place.client.get(path)
    answered(answer, path, refused=True)
    assert answer.status_code == 422


def test_the_stream_of_events_refuses_odd_text_too(place: Place) -> None:
    for text in ODD:
        for name in ("kind", "domain", "stream", "district"):
            answer = place.client.get(f"/api/v1/events?{name}={as_query(text)}")
            answered(answer, name, refused=True)


def test_a_form_with_odd_text_is_refused(place: Place) -> None:
    for text in ODD:
        form = f"name={as_query(text)}&password=x".encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = httpx.post(f"{place.url}/login", content=form, headers=kind)
        answered(answer, repr(text), refused=True)
        assert answer.status_code == 422


def test_a_time_without_zone_is_refused_everywhere(place: Place) -> None:
    for path in (
        "transitions?since=2026-11-30T01:30:00",
        "transitions?until=2026-11-30T01:30:00",
        "alerts?since=2026-11-30T01:30:00",
        "episodes?until=2026-11-30T01:30:00",
        "deliveries?before=2026-11-30T01:30:00",
        "responses/clocks?since=2026-11-30T01:30:00",
    ):
        answer = place.client.get(f"/api/v1/{path}")
        assert answer.status_code == 422, path
        assert answer.json()["errors"][0]["rule"] == "timezone_aware"


def test_blanks_are_no_comment(place: Place) -> None:
    for path, body in (
        ("alerts/x/comment", {"text": "   "}),
        ("incidents/x/comment", {"text": "\t\n"}),
        ("alerts/x/shelve", {"minutes": 5, "reason": "  "}),
    ):
        answer = place.client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] in ("body.text", "body.reason")


@pytest.mark.parametrize("step", ["inf", "-inf", "nan", "1e308", "0", "1e10"])
def test_a_step_that_is_none_is_refused(place: Place, step: str) -> None:
    answer = place.client.get(f"/api/v1/streams/noise/series?step_s={step}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.step_s"


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_without_a_key_is_refused_and_not_kept(place: Place, chunked: bool) -> None:
    before = resident_kb(place.process.pid)
    piece, count = b"x" * 2**20, 150

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    for path in ("/api/v1/alerts/x/ack", "/login", "/api/v1/incoming/grafana", "/nope"):
        headers = {} if chunked else {"Content-Length": str(count * len(piece))}
        answer = httpx.post(place.url + path, content=pieces(), headers=headers, timeout=60)
        assert answer.status_code == 413, path
        answered(answer, path)
    assert resident_kb(place.process.pid) - before < 30_000


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_drips_is_refused_in_time(place: Place, head: bytes) -> None:
    host, port = urlsplit(place.url).hostname or "", urlsplit(place.url).port or 80
    with socket.create_connection((host, port), timeout=20) as wire:
        wire.sendall(b"POST /api/v1/alerts/x/ack HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        wire.settimeout(1.0)
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() - began < 20:
            wire.sendall(b"x" if b"Length" in head else b"1\r\nx\r\n")
            try:
                answer = wire.recv(4096)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert time.monotonic() - began < 15
        wire.settimeout(15.0)
        while wire.recv(4096):
            pass  # and the connection ends


def test_a_body_at_the_limit_is_read(place: Place) -> None:
    note = {"note": "x" * (2 * 2**20 - 100)}
    answer = place.client.post("/api/v1/alerts/x/ack", json=note)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.note")
    assert place.client.post("/api/v1/alerts/x/ack", json={"note": "x"}).status_code == 404
