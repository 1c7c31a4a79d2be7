"""Open311 GeoReport v2: a client of the public reports, follows, and sees nothing but its due."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from catalog.site import zone
from deploy.ports import free_port
from records.act import act, record_of
from records.context import Context
from records.queries import get_record
from records.verify import verify_log, verify_states
from simulators.cases.office import Office
from simulators.cases.truth import CaseTruth
from simulators.core.city import City
from storage.api_keys import add_key
from tests.support.databases import Databases
from tests.support.servers import Spawner

PHOTO = b"\xff\xd8\xff" + b"p" * 500
WHERE = {"lat": "30.657", "long": "104.066", "address_string": "天府广场"}


@pytest.fixture(scope="module")
def client(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, str, str]]:
    """A client without login, the key of an application, and the database."""
    folder: Path = tmp_path_factory.mktemp("open311")
    url = f"http://127.0.0.1:{free_port()}"
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            key = add_key(conn, "city-app", ["open311:report"])
        base = {"CITYOPS_DSN": dsn, "CITYOPS_CONSOLE": url, "CITYOPS_STATE_DIR": str(folder)}
        with (
            Spawner(folder, base).stopping() as spawn,
            httpx.Client(base_url=f"{url}/open311/v2", timeout=30) as made,
        ):
            spawn("console", name="console", deadline_s=60.0)
            yield made, key, dsn


def report(client: httpx.Client, key: str, **more: Any) -> httpx.Response:
    data = {"service_code": "E0101", "description": "rubbish", "api_key": key, **WHERE} | more
    return client.post("/requests.json", data=data, files={"media": ("a.jpg", PHOTO)})


def test_a_report_is_followed_from_post_to_closure(client: tuple[httpx.Client, str, str]) -> None:
    http, key, dsn = client
    services = http.get("/services.json").json()
    assert len(services) == 40
    assert {"E0101", "P0106"} <= {s["service_code"] for s in services}
    assert http.get("/services/E0101.json").json()["attributes"] == []

    made = report(http, key, phone="13800000000")
    assert made.status_code == 201, made.text
    id = made.json()[0]["service_request_id"]
    seen = http.get(f"/requests/{id}.json").json()[0]
    assert (seen["status"], seen["status_notes"], seen["service_code"]) == (
        "open",
        "已收到",
        "E0101",
    )
    assert (seen["lat"], seen["long"], seen["address"]) == (30.657, 104.066, "天府广场")
    assert seen["expected_datetime"] is None
    assert "13800000000" not in str(seen)
    assert http.get(seen["media_url"]).content == PHOTO
    assert http.get(f"/tokens/{id}.json").json()[0]["service_request_id"] == id

    with psycopg.connect(dsn, autocommit=True) as conn:
        record = record_of("case")
        assert get_record(conn, record, int(id)).fields["source"] == "citizen"
        staff = Context(conn, "staff", "page", "admin")
        act(staff, "case", int(id), "file")
        act(staff, "case", int(id), "dispatch", {"department": "sanitation"})
        filed = http.get(f"/requests/{id}.json").json()[0]
        assert filed["agency_responsible"] == "环卫"
        assert datetime.fromisoformat(filed["expected_datetime"]) > datetime.fromisoformat(
            filed["requested_datetime"]
        )
        act(staff, "case", int(id), "force_close", reason="wont_fix", note="internal remark")
    closed = http.get("/requests.json", params={"status": "closed"}).json()
    assert [r["service_request_id"] for r in closed] == [id]
    assert closed[0]["status_notes"] == "已结案：暂不具备处置条件"
    assert "internal remark" not in str(closed)


def test_a_report_near_an_open_one_is_taken_and_says_so(
    client: tuple[httpx.Client, str, str],
) -> None:
    http, key, _ = client
    first = report(http, key, service_code="P0106").json()[0]
    second = report(http, key, service_code="P0106", lat="30.6571").json()[0]
    assert first["service_notice"] == ""
    assert f"See also {first['service_request_id']}" in second["service_notice"]
    listed = http.get("/requests.json", params={"service_code": "P0106"}).json()
    assert len(listed) == 2


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"api_key": "ck_wrong"}, 403),
        ({"api_key": ""}, 403),
        ({"service_code": "X9"}, 422),
        ({"lat": "91"}, 422),
        ({"description": "a\x00b"}, 422),
        ({"description": "x" * 2001}, 422),
    ],
)
def test_a_wrong_report_is_refused_whole(
    client: tuple[httpx.Client, str, str], given: dict[str, str], status: int
) -> None:
    http, key, dsn = client
    with psycopg.connect(dsn) as conn:
        before = conn.execute("SELECT count(*) FROM record_attachments").fetchone()
        answer = report(http, key, **given)
        assert (answer.status_code, answer.headers["content-type"]) == (
            status,
            "application/problem+json",
        )
        assert conn.execute("SELECT count(*) FROM record_attachments").fetchone() == before


def test_the_public_reads_no_file_but_what_a_report_shows(
    client: tuple[httpx.Client, str, str],
) -> None:
    http, _, dsn = client
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(
            "INSERT INTO record_attachments (kind, name, content_type, size, sha256, added_by)"
            " VALUES ('case', 'x', 'image/png', 1, 'ab', 'staff') RETURNING id"
        ).fetchone()
    assert row is not None
    assert http.get(f"/media/{row[0]}").status_code == 404
    assert http.get("/requests/999999.json").status_code == 404


def test_the_simulated_citys_people_work_cases_off_through_the_api(
    client: tuple[httpx.Client, str, str], tmp_path: Path
) -> None:
    """Ten minutes of a working morning: all ends closed or rejected, as the truth has it."""
    http, _, dsn = client
    with psycopg.connect(dsn, autocommit=True) as conn:
        bearer = {"Authorization": f"Bearer {add_key(conn, 'sim', ['api:admin'])}"}
        conn.execute(
            "INSERT INTO record_grants (who, system, role, scope, granted_by)"
            " VALUES ('sim', 'urban', 'department', '', 'test')"
        )
    api = str(http.base_url).replace("/open311/v2", "/api/v1")
    morning = datetime(2026, 1, 13, 10, tzinfo=zone()).timestamp()
    with httpx.Client(base_url=api, headers=bearer, timeout=30) as key:
        truth = CaseTruth(tmp_path / "cases.jsonl")
        office = Office(City(3), key, key, truth, lambda: True, speed=1e9)
        for _ in range(2):  # the second time nothing is reported again
            office.report(morning, morning + 600)
        assert office.done["reported"] == len(truth.by_case) > 3
        for _ in range(25):
            office.work(36_000, morning)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for id in truth.by_case:
            row, found = get_record(conn, record_of("case"), id), truth.problem(id)
            assert found is not None
            told = not found.exists and row.fields["source"] != "collector"
            assert row.state == ("rejected" if told else "closed"), office.done
        assert verify_states(conn, "case") == verify_log(conn) == []
