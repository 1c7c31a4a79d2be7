"""Signing, the schedule and what counts as delivered."""

import random
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from alerts.delivery.attempt import Caller, Owed, Result, headers_of, retry_after_s
from alerts.delivery.deliver import SCHEDULE_S, next_delay
from alerts.delivery.guard import Guard
from alerts.delivery.receivers import ROBOTS, new_secret
from alerts.delivery.vault import Vault, open_vault
from catalog.errors import FatalError


def result(status: int | None, retry_after: float | None = None) -> Result:
    error = "" if status and status < 300 else f"HTTP {status}"
    return Result(status, error, retry_after, 1)


def test_two_secrets_sign_while_one_is_rotated() -> None:
    new, old = new_secret(), new_secret()
    owed = Owed("msg_1", 3, '{"a":1}', "application/json", "", "cityops", (new, old))
    headers = headers_of(owed, datetime.now(UTC))
    for secret in (new, old):
        assert Webhook(secret).verify(owed.body, headers) == {"a": 1}
    with pytest.raises(Exception, match="signature"):
        Webhook(new_secret()).verify(owed.body, headers)
    assert headers["webhook-sequence"] == "3"


def test_the_schedule_starts_at_five_seconds_and_ends_after_a_day() -> None:
    dice = random.Random(1)
    delays = [next_delay(n, result(500), dice) for n in range(1, len(SCHEDULE_S) + 2)]
    assert delays[-1] is None
    known = [d for d in delays if d is not None]
    assert 4 <= known[0] <= 6
    assert known == sorted(known)
    assert 0.8 * 86400 <= known[-1] <= 1.2 * 86400
    assert len({next_delay(1, result(500), dice) for _ in range(5)}) == 5, "jitter"


@pytest.mark.parametrize(
    ("status", "retry_after", "least", "most"),
    [
        (500, None, 4, 6),
        (429, None, 30, 30),
        (502, None, 30, 30),
        (504, 3, 30, 30),
        (429, 120, 120, 120),
        (503, 60, 60, 60),
        (None, None, 4, 6),
        (429, 1e9, 86400, 86400),
    ],
)
def test_throttling_and_retry_after_stretch_the_first_pause(
    status: int | None, retry_after: float | None, least: float, most: float
) -> None:
    delay = next_delay(1, result(status, retry_after), random.Random(2))
    assert delay is not None
    assert least <= delay <= most


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    assert retry_after_s("17", now) == 17
    assert retry_after_s("Tue, 24 Nov 2026 08:01:00 GMT", now) == 60
    assert retry_after_s("Tue, 24 Nov 2026 07:01:00 GMT", now) == 0
    assert retry_after_s("soon", now) is None


def test_only_2xx_is_delivered() -> None:
    assert [result(s).delivered for s in (200, 204, 301, 404, 500, None)] == [True] * 2 + [
        False
    ] * 4


def test_a_sealed_secret_opens_only_with_its_key(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "keys" / "secrets.key"
    vault = open_vault(file)
    sealed = vault.seal("whsec_x")
    assert "whsec_x" not in sealed
    assert file.stat().st_mode & 0o777 == 0o600
    assert Vault(file.read_bytes()).open(sealed) == "whsec_x"
    with pytest.raises(FatalError, match="another key"):
        open_vault(tmp_path / "other.key").open(sealed)


def sent(format: str, answer: httpx.Response, secret: str = "") -> tuple[Result, httpx.URL]:
    """Make one attempt at a robot that answers so; return how it ended and what was called."""
    called: list[httpx.URL] = []

    def robot(request: httpx.Request) -> httpx.Response:
        called.append(request.url)
        return answer

    secrets = (secret,) if secret else ()
    url = "http://127.0.0.1:9000/robot/send?access_token=t"
    owed = Owed("msg_1", 1, "{}", "application/json", url, format, secrets)
    with Caller(Guard(["127.0.0.1"]), httpx.MockTransport(robot)) as caller:
        made = caller.attempt(owed, datetime.fromtimestamp(1795860000, UTC))
    return made, called[0]


@pytest.mark.parametrize("format", ROBOTS)
def test_a_robot_that_answers_200_has_taken_it_only_with_error_code_0(format: str) -> None:
    taken, _ = sent(format, httpx.Response(200, json={"errcode": 0, "errmsg": "ok"}))
    assert taken.delivered
    limited, _ = sent(format, httpx.Response(200, json={"errcode": 45009, "errmsg": "too often"}))
    assert (limited.delivered, limited.error) == (False, "errcode 45009: too often")
    for odd in (httpx.Response(200, text="<html>"), httpx.Response(200, json=["ok"])):
        assert not sent(format, odd)[0].delivered, "a portal before it is not the robot"
    assert sent("cityops", httpx.Response(200, text="<html>"))[0].delivered


def test_dingtalk_finds_time_and_signature_in_the_address() -> None:
    """The signature was made by ``openssl dgst -sha256 -hmac`` as DingTalk's guide says."""
    _, url = sent("dingtalk", httpx.Response(200, json={"errcode": 0}), "SEC-made-up")
    assert dict(url.params) == {
        "access_token": "t",
        "timestamp": "1795860000000",
        "sign": "46i2NDi6Iu+n4pJAtfG1cH/h+suAaF8B+CCgSyGWODo=",
    }
