"""Where webhooks may go. City receivers are often inside the network, so the rule is a list.

Resolve once, check every address, connect to the checked one: a name that changes its answer
between check and use (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx
from psycopg.conninfo import conninfo_to_dict

from catalog.errors import InvalidError
from service.doors import address_of
from service.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]
DEFAULT_PORTS = {"http": 80, "https": 443}
METADATA = ("100.100.100.200", "169.254.169.254", "fd00:ec2::254")
"""Cloud metadata services; the link-local one is named for its message."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RefusedTargetError(InvalidError):
    """This address may not be called; the text says which rule forbids it."""

    usual_code = "target"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the allow-list: ``[http://]host|*.domain|CIDR[:port]``."""

    host: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None
    plain: bool

    @classmethod
    def parse(cls, line: str) -> "Entry":
        """Read one line; ValueError when it is none."""
        plain, rest = line.startswith("http://"), line.split("://")[-1].strip().lower().rstrip("/")
        port: int | None = None
        if rest.startswith("["):
            host, _, tail = rest[1:].partition("]")
            port = int(tail[1:]) if tail.startswith(":") else None
        elif rest.count(":") == 1:
            host, _, number = rest.partition(":")
            port = int(number)
        else:
            host = rest
        if "/" in host:
            return cls(host, ipaddress.ip_network(host), port, plain)
        try:
            single = ipaddress.ip_address(host)
        except ValueError:
            return cls(_ascii(host), None, port, plain or host == "localhost")
        return cls(host, ipaddress.ip_network(host), port, plain or single.is_loopback)

    def names(self, host: str) -> bool:
        """Tell whether this entry is for that host name."""
        if self.network is not None:
            literal = _literal(host)
            return literal is not None and literal in self.network
        if self.host.startswith("*."):
            return host.endswith(self.host[1:])
        return host == self.host

    def covers(self, address: Address) -> bool:
        """Tell whether this entry is a network that holds the address."""
        return self.network is not None and address in self.network


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: connect to ``address``, speak to ``host``."""

    url: str
    host: str
    address: str

    def request(
        self, client: httpx.Client | httpx.AsyncClient, body: bytes, headers: dict[str, str]
    ) -> httpx.Request:
        """Build the POST to the checked address with the original name for Host and TLS."""
        url = httpx.URL(self.url)
        return client.build_request(
            "POST",
            url.copy_with(host=self.address),
            content=body,
            headers={"host": url.netloc.decode(), **headers},
            extensions={"sni_hostname": self.host},
        )


class Guard:
    """Checks webhook addresses against the allow-list."""

    def __init__(
        self,
        allowed: Iterable[str],
        own: Iterable[tuple[str, int]] = (),
        resolver: Resolver | None = None,
    ) -> None:
        self._entries = [Entry.parse(line) for line in allowed]
        self._own = set(own)
        self._resolve = resolver or resolve

    def check(self, url: str) -> SplitResult:
        """Check all that can be said without a resolver; ``RefusedTargetError`` otherwise."""
        parts, host, port = _split(url)
        entries = [e for e in self._entries if e.names(host)]
        if not entries:
            raise RefusedTargetError(f"host {host!r} is not in CITYOPS_WEBHOOK_HOSTS")
        entries = [e for e in entries if e.port in (None, port)]
        if not entries:
            raise RefusedTargetError(f"port {port} of {host!r} is not in CITYOPS_WEBHOOK_HOSTS")
        if parts.scheme == "http" and not any(e.plain for e in entries):
            raise RefusedTargetError(
                f"only https:// to {host!r}; list it as 'http://{host}' to allow plain http"
            )
        if literal := _literal(host):
            self._check_address(host, literal, port)
        return parts

    def target(self, url: str) -> Target:
        """Resolve once and check every address; return the one to connect to."""
        self.check(url)
        parts, host, port = _split(url)
        try:
            answers = [host] if _literal(host) else self._resolve(host, port)
        except OSError as error:
            raise RefusedTargetError(f"host {host!r} has no address: {error}") from None
        if not answers:
            raise RefusedTargetError(f"host {host!r} has no address")
        for answer in answers:
            self._check_address(host, ipaddress.ip_address(answer.split("%")[0]), port)
        return Target(parts.geturl(), host, answers[0])

    def _check_address(self, host: str, address: Address, port: int) -> None:
        if (str(address), port) in self._own:
            raise RefusedTargetError(f"{address}:{port} is one of the platform's own servers")
        listed = any(e.covers(address) for e in self._entries)
        asked_for = host == "localhost" or (listed and _literal(host) is not None)
        reason = _special(address)
        if reason and not (asked_for and reason == "loopback"):
            raise RefusedTargetError(f"{host!r} leads to {address}, which is {reason}")
        if address.is_private and not listed and not asked_for:
            raise RefusedTargetError(
                f"{host!r} leads to {address} inside the network; list its CIDR as well"
            )


EVERYWHERE = ("0.0.0.0", "::")


def guard_of(settings: Settings, allowed: Iterable[str]) -> Guard:
    """Return the guard of a platform: its own broker and database are never a target."""
    own: list[tuple[str, int]] = []
    for place in settings.kafka.split(","):
        host, _, port = place.rpartition(":")
        own += [(a, int(port)) for a in _addresses(host)] if port.isdigit() else []
    parts = conninfo_to_dict(settings.database())
    host = str(parts.get("host") or "127.0.0.1")
    own += [(a, int(parts.get("port") or 5432)) for a in _addresses(host)]
    doors = (settings.gateway, settings.console, settings.gateway_tls, settings.console_tls)
    for host, port in map(address_of, filter(None, doors)):
        own += [(a, port) for a in _addresses("127.0.0.1" if host in EVERYWHERE else host)]
    return Guard(allowed, own)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as the system's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def hide(url: str) -> str:
    """Return the address without its query, which robots use as their secret."""
    parts = urlsplit(url)
    return parts._replace(query="…" if parts.query else "", fragment="").geturl()


def _split(url: str) -> tuple[SplitResult, str, int]:
    if any(ord(c) <= 32 or ord(c) == 127 for c in url) or "\\" in url:
        raise RefusedTargetError("the address must not hold spaces, controls or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise RefusedTargetError(f"this is no address: {error}") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise RefusedTargetError("the address must begin with http:// or https://")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise RefusedTargetError("the address must not hold a user or password")
    host = _ascii((parts.hostname or "").lower())
    if not host:
        raise RefusedTargetError("the address has no host")
    if _literal(host) is None and _odd(host):
        raise RefusedTargetError(f"{host!r} is an IP address in an odd notation")
    return parts, host, port


def _ascii(host: str) -> str:
    """Return the IDNA form of a host name, without a trailing dot."""
    host = host.removesuffix(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise RefusedTargetError(f"{host!r} is no host name") from None


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _odd(host: str) -> bool:
    """Tell whether a name is a number in disguise: 0x7f.1, 2130706433, 0177.0.0.1, 127.1."""
    last = host.split(".")[-1]
    return last.isdigit() or last.startswith("0x")


def _special(address: Address) -> str:
    """Return why an address is never a receiver; empty for an ordinary one."""
    if str(address) in METADATA:
        return "a cloud metadata service"
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in NAT64
    ):
        return "an IPv4 address in IPv6 form"
    checks = {
        "loopback": address.is_loopback,
        "unspecified": address.is_unspecified,
        "link-local": address.is_link_local,
        "multicast": address.is_multicast,
        "reserved": address.is_reserved,
    }
    return next((name for name, hit in checks.items() if hit), "")


def _addresses(host: str) -> list[str]:
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    return [host] if _literal(host) else []
