"""How many wrong passwords are heard: by browser, address and account, so that nobody who tries
another's name keeps its owner out, and no answer tells whether a name exists.

Counts are kept in memory by the name that was given, known or not, and forgotten after a while.
"""

import ipaddress
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

WINDOW_S = 15 * 60.0
MOST_KEPT = 20_000
Trust = Literal["browser", "address", "none"]
Key = tuple[str, ...]

PER_BROWSER = 5
"""Failures in one browser that this person has logged in with before; nothing else counts there."""
PER_PAIR = 5
"""Failures of one name from one address."""
PER_ADDRESS = 20
"""Failures of all names from one address."""
PER_ACCOUNT = 50
"""Failures of one name from all addresses; those it has been used from before go on."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: the name given, where it comes from, and how well that place is known."""

    name: str
    address: str
    browser: str = ""
    trust: Trust = "none"

    def counted_by(self) -> list[tuple[Key, int]]:
        """Return what this attempt counts against, each with its limit."""
        name, place = self.name.strip().lower()[:40], network_of(self.address)
        if self.trust == "browser":
            return [(("browser", name, self.browser), PER_BROWSER)]
        counted = [(("pair", name, place), PER_PAIR), (("address", place), PER_ADDRESS)]
        if self.trust == "none":
            counted.append((("account", name), PER_ACCOUNT))
        return counted


class LoginLimits:
    """Counts attempts; one is counted before the password is looked at, and forgiven when right."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()

    def admit(self, attempt: Try) -> bool:
        """Count an attempt; False when there were too many: the password is not looked at."""
        now = self._monotonic()
        with self._lock:
            counted = [(self._recent(key, now), limit) for key, limit in attempt.counted_by()]
            if any(len(failures) >= limit for failures, limit in counted):
                return False
            for failures, _ in counted:
                failures.append(now)
        return True

    def forgive(self, attempt: Try) -> None:
        """Take the last count of a right password back, and the name's own failures here."""
        with self._lock:
            for key, _ in attempt.counted_by():
                failures = self._failures.get(key)
                if failures and key[0] in ("pair", "browser"):
                    failures.clear()
                elif failures:
                    failures.pop()

    def _recent(self, key: Key, now: float) -> deque[float]:
        failures = self._failures.setdefault(key, deque())
        self._failures.move_to_end(key)
        while failures and now - failures[0] > WINDOW_S:
            failures.popleft()
        while len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)
        return failures


def network_of(address: str) -> str:
    """Return what one subscriber has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    mapped = known.ipv4_mapped
    return str(mapped or ipaddress.ip_network((known, 64), strict=False))
