"""HTTPS of our own: who is let in how, where browsers are sent, and what a setting may be."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from catalog.errors import FatalError
from deploy.ports import free_port
from service.doors import Certificate, Doors, doors
from service.settings import Settings
from service.vitals import Vitals
from service.web import serve
from tests.support.certificates import Pair, certificate
from tests.support.servers import wait_until


@dataclass(frozen=True)
class Place:
    """A small application behind every kind of door."""

    at: Doors
    pair: Pair

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.pair.chain))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    pair = certificate(tmp_path_factory.mktemp("tls"))
    plain, secure, redirect = (f"127.0.0.1:{free_port()}" for _ in range(3))
    settings = Settings(
        console=f"http://{plain}",
        console_tls=f"https://{secure}",
        console_redirect=f"http://{redirect}",
        public_url="https://city.example/",
        tls_cert=pair.chain,
        tls_key=pair.key,
    )
    app = FastAPI()

    @app.get("/scheme")
    def scheme(request: Request) -> str:
        return request.url.scheme

    at, vitals, stop = doors(settings, "console"), Vitals("test"), threading.Event()
    serving = threading.Thread(target=serve, args=(app, at, vitals, stop), daemon=True)
    serving.start()
    wait_until(lambda: vitals.health().healthy, 20.0, "doors open")
    yield Place(at, pair)
    stop.set()
    serving.join()


def test_the_application_answers_at_both_doors_and_knows_which(place: Place) -> None:
    assert httpx.get(f"{place.at.plain}/scheme").json() == "http"
    assert httpx.get(f"{place.at.secure}/scheme", verify=place.trust()).json() == "https"


def test_who_does_not_trust_the_certificate_is_not_served(place: Place) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{place.at.secure}/scheme")


def test_tls_before_1_2_is_refused(place: Place) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.warns(DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{place.at.secure}/scheme", verify=old)


def test_browsers_that_come_by_http_are_sent_on_and_nothing_else_is(place: Place) -> None:
    moved = httpx.get(f"{place.at.redirect}/alerts?level=1&q=%E6%B6%AA")
    assert moved.status_code == 308
    assert moved.headers["location"] == "https://city.example/alerts?level=1&q=%E6%B6%AA"
    assert httpx.get(f"{place.at.redirect}/scheme").headers["location"].endswith("/scheme")
    # a password or key that came in clear is not sent on as if nothing had happened
    posted = httpx.post(f"{place.at.redirect}/login", data={"password": "x"})
    assert (posted.status_code, "location" in posted.headers) == (403, False)


@pytest.mark.parametrize("target", ["//evil.example/", "http://evil.example/", "@evil.example"])
def test_nobody_is_sent_to_another_host(place: Place, target: str) -> None:
    where = place.at.redirect.removeprefix("http://")
    host, port = where.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(f"GET {target} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())
        answer = line.recv(4096).decode().lower()
    assert "location: https://city.example/" in answer or answer.startswith("http/1.1 400")


def test_a_renewed_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    used = Pair(tmp_path / "used.pem", tmp_path / "used.key")
    _copy(first, used)
    held = Certificate(used.chain, used.key)
    assert not held.renew()
    shutil.copy(second.chain, used.chain)  # half of the change: the other half is on its way
    assert not held.renew()
    assert _shown(held) == "first"
    shutil.copy(second.key, used.key)
    assert held.renew()
    assert _shown(held) == "second"


def _copy(source: Pair, target: Pair) -> None:
    shutil.copy(source.chain, target.chain)
    shutil.copy(source.key, target.key)


def _shown(held: Certificate) -> str:
    """Return the name in the certificate that a client is shown, by a handshake in memory."""
    trust = ssl.create_default_context()
    for file in held._files[0].parent.glob("*.pem"):
        trust.load_verify_locations(file)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(down, up, server_hostname="localhost")
    server = held.context.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found = client.getpeercert()
    assert found
    ((((_, name),),)) = found["subject"]  # type: ignore[misc]
    return str(name)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"tls_key": None}, "go together"),
        ({"tls_key": None, "tls_cert": None}, "needs CITYOPS_TLS_CERT"),
        ({"console_tls": ""}, "name no address for HTTPS"),
        ({"console_tls": "http://127.0.0.1:1"}, "is https://host:port"),
        ({"console_redirect": "http://127.0.0.1:1", "public_url": ""}, "CITYOPS_PUBLIC_URL"),
        ({"tls_cert": Path("nowhere.pem")}, "no certificate and its key"),
        ({"tls_key": "another"}, "no certificate and its key"),
    ],
)
def test_settings_that_would_leave_a_door_open_or_shut_stop_the_start(
    tmp_path: Path, given: dict[str, object], word: str
) -> None:
    pair = certificate(tmp_path)
    if given.get("tls_key") == "another":
        given = given | {"tls_key": certificate(tmp_path, "another").key}
    whole = {"tls_cert": pair.chain, "tls_key": pair.key, "console_tls": "https://127.0.0.1:1"}
    doors(Settings.model_validate(whole), "console")
    with pytest.raises(FatalError, match=word):
        doors(Settings.model_validate(whole | given), "console")
