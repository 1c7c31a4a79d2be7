"""Signs on the wire: told once, read back, and what a device may answer that makes no sense."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from catalog.errors import FatalError
from records.plans.devices import MOST_BYTES, Fleet
from records.plans.store import Command
from simulators.signs import Sign, Signs

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ID = "sign-00-10"


def command(**more: object) -> Command:
    usual = {"key": "m-1/show", "record": 1, "kind": "sign", "device": ID, "action": "show"}
    usual |= {"of_key": "", "message": "前方积水\n金新路\n\n请绕行", "attempts": 1}
    return Command.model_validate(usual | {"expires_at": NOW + timedelta(minutes=5)} | more)


@pytest.fixture
def signs() -> Signs:
    return Signs(lambda: clock[0])


clock = [0.0]


@pytest.fixture
def fleet(signs: Signs) -> Iterator[Fleet]:
    clock[0] = 0.0
    address, stop = signs.serve()
    made = Fleet(f"sign={address}")
    yield made
    made.close()
    stop()


def test_it_shows_is_read_back_and_blanks_itself(fleet: Fleet, signs: Signs) -> None:
    assert fleet.tell(command(), NOW).how == "done"
    said = fleet.ask("sign", ID, NOW)
    assert (said.status, said.key, said.message) == ("ok", "m-1/show", command().message)
    clock[0] = 299.0
    assert fleet.ask("sign", ID, NOW).key == "m-1/show"
    clock[0] = 300.0
    assert fleet.ask("sign", ID, NOW).key == ""


def test_a_second_try_asks_first(fleet: Fleet, signs: Signs) -> None:
    fleet.tell(command(), NOW)
    again = fleet.tell(command(attempts=2), NOW)
    assert (again.how, signs.by_id[ID].heard) == ("done", ["m-1/show"])
    other = command(key="m-2/show", attempts=2)
    assert fleet.tell(other, NOW).how == "done"
    assert signs.by_id[ID].heard == ["m-1/show", "m-2/show"]


def test_the_same_key_does_not_lengthen_its_time(fleet: Fleet, signs: Signs) -> None:
    fleet.tell(command(), NOW)
    clock[0] = 200.0
    fleet.tell(command(), NOW)
    clock[0] = 301.0
    assert signs.by_id[ID].showing() is None


def test_only_ones_own_text_is_blanked(fleet: Fleet, signs: Signs) -> None:
    fleet.tell(command(), NOW)
    fleet.tell(command(key="m-2/show"), NOW)
    gone = fleet.tell(command(key="m-1/blank", action="blank", of_key="m-1/show"), NOW)
    assert (gone.how, gone.why) == ("done", "it shows another")
    assert (signs.by_id[ID].showing() or {})["key"] == "m-2/show"
    fleet.tell(command(key="m-2/blank", action="blank", of_key="m-2/show"), NOW)
    assert signs.by_id[ID].showing() is None


def test_power_that_comes_back_finds_a_blank_sign(fleet: Fleet, signs: Signs) -> None:
    fleet.tell(command(), NOW)
    feeder = signs.by_id[ID].device.parent
    signs.without_power([feeder or ""])
    assert fleet.ask("sign", ID, NOW).status == "away"
    assert fleet.tell(command(key="m-2/show"), NOW).how == "away"
    signs.without_power([])
    assert (signs.by_id[ID].showing(), signs.by_id[ID].last_key) == (None, "m-1/show")


@pytest.mark.parametrize(
    "message", ["", "一\n二\n三", "一\n\n二\n\n三"], ids=["nothing", "lines", "pages"]
)
def test_a_sign_refuses_what_it_cannot_show(fleet: Fleet, message: str) -> None:
    assert fleet.tell(command(message=message), NOW).how == "refused"


def test_nobody_knows_an_unknown_sign(fleet: Fleet) -> None:
    assert fleet.tell(command(device="sign-99-99"), NOW).how == "refused"
    assert fleet.ask("lamp", "lamp-1", NOW).why == "CITYOPS_DEVICES has no address of a lamp"


def answers(work: Callable[[httpx.Request], httpx.Response]) -> Fleet:
    return Fleet("sign=http://sign/{id}", httpx.Client(transport=httpx.MockTransport(work)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"status": "dancing"}',
        b'{"status": "ok", "showing": "text"}',
        b'{"status": "ok", "showing": {"key": "k", "pages": [[1]]}}',
        b'{"status": "ok", "last_key": "' + b"k" * 300 + b'"}',
        b'{"status": "ok"}' + b" " * MOST_BYTES,
        b"\xff\xfe",
    ],
)
def test_an_answer_that_makes_no_sense_is_none(body: bytes) -> None:
    fleet = answers(lambda request: httpx.Response(200, content=body))
    said = fleet.ask("sign", ID, NOW)
    assert (said.status, said.key) == ("away", "") and said.why
    assert fleet.tell(command(attempts=2), NOW).how == "away"


@pytest.mark.parametrize(
    ("status", "how"),
    [
        *((200, "done"), (204, "done"), (302, "away"), (400, "refused"), (403, "refused")),
        *((408, "away"), (425, "away"), (429, "away"), (500, "away"), (503, "away")),
    ],
)
def test_what_is_tried_again_and_what_is_not(status: int, how: str) -> None:
    assert answers(lambda request: httpx.Response(status)).tell(command(), NOW).how == how


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def work(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere/"})

    assert answers(work).ask("sign", ID, NOW).status == "away" and asked == ["sign"]


def test_what_is_sent_tells_how_long_not_until_when() -> None:
    sent: list[httpx.Request] = []

    def work(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    answers(work).tell(command(), NOW)
    body = json.loads(sent[0].content)
    assert body == {"pages": [["前方积水", "金新路"], ["请绕行"]], "page_s": 3.0, "ttl_s": 300.0}
    assert sent[0].headers["Idempotency-Key"] == "m-1/show"


@pytest.mark.parametrize("said", ["sign", "sign=http://x", "sign=ftp://x/{id}", "=", "http://{id}"])
def test_a_setting_that_is_no_address_ends_the_start(said: str) -> None:
    with pytest.raises(FatalError):
        Fleet(said)


def test_a_sign_of_another_size_tells_what_fits() -> None:
    sign = Sign(next(iter(Signs(lambda: 0.0).by_id.values())).device, lambda: 0.0)
    with pytest.raises(ValueError):
        sign.show("k", [["一"]], 0)
    assert sign.blank("k") and sign.state()["showing"] is None
