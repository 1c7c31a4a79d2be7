"""Where a web process answers: plain HTTP for this machine, HTTPS for all others."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from prometheus_client import Gauge
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.errors import FatalError
from service.log import logger
from service.settings import Settings

EXPIRES = Gauge(
    "cityops_tls_certificate_expires_timestamp_seconds",
    "When the served certificate runs out",
    ["file"],
)
SAFE = ("GET", "HEAD")


class Certificate:
    """A certificate chain and its key, for a server; read anew when their files change.

    Raises FatalError when they cannot be used. At least TLS 1.2, with the ciphers of OpenSSL's and
    Python's defaults.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._files = chain, key
        self._read: tuple[int, ...] = ()
        self.context = _server()
        try:
            self._load()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise _fatal(f"{chain} and {key} are no certificate and its key: {error}") from error

    def renew(self) -> bool:
        """Take in a changed certificate for new connections; a broken one is told and left."""
        try:
            if self._times() == self._read:
                return False
            self._load()
        except (OSError, ValueError) as error:
            logger().warning("the new certificate is not used", reason=str(error)[:200])
            return False
        logger().info("the certificate was read anew")
        return True

    def _load(self) -> None:
        chain, key = self._files
        times = self._times()
        _server().load_cert_chain(chain, key)  # whole, before the one in use is touched
        self.context.load_cert_chain(chain, key)
        ends = x509.load_pem_x509_certificate(chain.read_bytes()).not_valid_after_utc
        EXPIRES.labels(str(chain)).set(ends.timestamp())
        self._read = times

    def _times(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns for file in self._files)


@dataclass(frozen=True, slots=True)
class Doors:
    """The addresses at which an application answers.

    ``plain`` and ``secure`` lead to the application, ``redirect`` only sends browsers to
    ``public``, where people find it.
    """

    plain: str
    secure: str = ""
    certificate: Certificate | None = None
    redirect: str = ""
    public: str = ""


def doors(settings: Settings, room: Literal["console", "gateway"]) -> Doors:
    """Return the doors of console or gateway; FatalError that names the setting that is wrong."""
    plain = settings.console if room == "console" else settings.gateway
    secure = settings.console_tls if room == "console" else settings.gateway_tls
    redirect = settings.console_redirect if room == "console" else ""
    if not (settings.tls_cert and settings.tls_key):
        _refuse_halves(settings)
        return Doors(plain)
    if not (settings.console_tls or settings.gateway_tls):
        raise _fatal("CITYOPS_CONSOLE_TLS and CITYOPS_GATEWAY_TLS name no address for HTTPS")
    if not secure:
        return Doors(plain)
    _check("CITYOPS_CONSOLE_TLS or CITYOPS_GATEWAY_TLS", secure, "https")
    if redirect:
        _check("CITYOPS_CONSOLE_REDIRECT", redirect, "http")
        _check("CITYOPS_PUBLIC_URL", settings.public_url, "https")
    certificate = Certificate(settings.tls_cert, settings.tls_key)
    return Doors(plain, secure, certificate, redirect, settings.public_url.rstrip("/"))


def address_of(url: str) -> tuple[str, int]:
    """Return host and port of an address."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)


def sends_to(public: str) -> ASGIApp:
    """Return an application that sends every page to its place below ``public``.

    What is no page is refused: a key or password has then crossed the network in clear, which a
    redirect would hide.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        where = public + (path if path.startswith("/") else "/") + (f"?{query}" if query else "")
        moved = scope["method"] in SAFE
        headers = [(b"content-length", b"0"), (b"location", where.encode("latin-1"))]
        start = {"type": "http.response.start", "status": 308 if moved else 403}
        await send(start | {"headers": headers[: 2 if moved else 1]})
        await send({"type": "http.response.body", "body": b""})

    return app


def _refuse_halves(settings: Settings) -> None:
    if settings.tls_cert or settings.tls_key:
        raise _fatal("CITYOPS_TLS_CERT and CITYOPS_TLS_KEY go together")
    if settings.console_tls or settings.gateway_tls or settings.console_redirect:
        raise _fatal("HTTPS needs CITYOPS_TLS_CERT and CITYOPS_TLS_KEY")


def _check(name: str, url: str, scheme: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme == scheme and bool(parts.hostname) and _bare(parts)
    except ValueError:
        fits = False
    if not fits:
        raise _fatal(f"{name} is {scheme}://host:port, not {url!r}")


def _bare(parts: SplitResult) -> bool:
    return parts.path in ("", "/") and not parts.query and (parts.port or 1) > 0


def _server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _fatal(words: str) -> FatalError:
    return FatalError(words, code="tls", stage="starting")
