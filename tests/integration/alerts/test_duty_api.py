"""Roster and phone book over real HTTP: kept by operators, bad input refused by name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from tests.support.alerting import Place, add_users

NOW = datetime.now(UTC)
SHIFT = {
    "owner": "drainage",
    "person": "王芳",
    "account": "wang",
    "phone": "+86 28 6180 1234",
    "starts_at": (NOW - timedelta(hours=1)).isoformat(),
    "ends_at": (NOW + timedelta(hours=7)).isoformat(),
}


def test_shifts_are_added_found_and_removed(place: Place, conn: Connection) -> None:
    add_users(conn, "wang")
    assert place.call("viewer", "POST", "/duty", json=SHIFT).status_code == 403
    made = place.call("operator", "POST", "/duty", json=SHIFT)
    assert made.status_code == 201, made.text
    again = place.call("operator", "POST", "/duty", json=SHIFT)
    assert again.status_code == 409, "the same person twice at one time"
    (found,) = place.call("viewer", "GET", "/duty").json()
    assert (found["person"], found["account"], found["owner"]) == ("王芳", "wang", "drainage")
    late = (NOW + timedelta(hours=8)).isoformat()
    assert place.call("viewer", "GET", "/duty", params={"at": late}).json() == []
    number = made.json()["id"]
    assert place.call("operator", "DELETE", f"/duty/{number}").status_code == 204
    assert place.call("operator", "DELETE", f"/duty/{number}").status_code == 404
    assert [e.what for e in place.audits("duty.")] == ["duty.remove", "duty.add"]


def test_a_shift_of_every_week_is_all_its_weeks_or_none(place: Place, conn: Connection) -> None:
    add_users(conn, "zhao")
    begin = NOW + timedelta(days=20)
    shift = SHIFT | {"person": "赵敏", "account": "zhao"}
    night = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=8)).isoformat()}
    third = {key: (datetime.fromisoformat(at) + timedelta(weeks=2)) for key, at in night.items()}
    taken = shift | {key: at.isoformat() for key, at in third.items()}
    one = place.call("operator", "POST", "/duty", json=taken).json()["ids"]
    refused = place.call("operator", "POST", "/duty", json=shift | night | {"weeks": 4})
    assert refused.status_code == 409, "the third week is taken"
    assert place.call("operator", "DELETE", f"/duty/{one[0]}").status_code == 204
    made = place.call("operator", "POST", "/duty", json=shift | night | {"weeks": 4}).json()
    assert len(made["ids"]) == 4, "nothing was left of the refused one"
    query = "SELECT starts_at FROM console_duty WHERE person = '赵敏' ORDER BY 1"
    starts = [row[0] for row in conn.execute(query).fetchall()]
    assert [at - starts[0] for at in starts] == [timedelta(weeks=n) for n in range(4)]
    for number in made["ids"]:
        assert place.call("operator", "DELETE", f"/duty/{number}").status_code == 204


def test_what_is_wrong_with_a_shift_or_number_is_named(place: Place, conn: Connection) -> None:
    def refused(path: str, wrong: dict[str, Any], of: dict[str, Any]) -> str:
        answer = place.call("operator", "POST", path, json=of | wrong)
        assert answer.status_code == 422, answer.text
        return answer.json()["errors"][0]["field"]

    for field, value in (
        ("owner", "nobody"),
        ("person", "  "),
        ("person", "长" * 61),
        ("phone", "call me"),
        ("account", "nobody-like-this"),
        ("starts_at", "2026-11-30T08:00:00"),
        ("ends_at", "9999-12-31T00:00:00Z"),
        ("weeks", 27),
    ):
        assert refused("/duty", {field: value}, SHIFT) == f"body.{field}"
    assert refused("/duty", {"ends_at": SHIFT["starts_at"]}, SHIFT).startswith("body")
    contact = {"owner": "gas", "person": "值班室", "phone": "12345"}
    assert refused("/contacts", {"phone": "1"}, contact) == "body.phone"
    made = place.call("operator", "POST", "/contacts", json=contact).json()["id"]
    assert [c["phone"] for c in place.call("viewer", "GET", "/contacts").json()] == ["12345"]
    assert place.call("operator", "DELETE", f"/contacts/{made}").status_code == 204
