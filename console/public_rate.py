"""How often one subscriber may ask for what is public: a bucket that refills, kept in memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from console.login_limits import network_of

PER_MINUTE = 120
BURST = 60
MOST_KEPT = 20_000


class PublicRate:
    """Counts requests by address (IPv6: by network); no more than ``MOST_KEPT`` are remembered."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Count a request; return 0, or after how many seconds the next one is heard."""
        now, who = self._monotonic(), network_of(address)
        with self._lock:
            left, at = self._left.pop(who, (float(BURST), now))
            left = min(float(BURST), left + (now - at) * PER_MINUTE / 60)
            heard = left >= 1.0
            self._left[who] = (left - 1.0 if heard else left, now)
            while len(self._left) > MOST_KEPT:
                self._left.popitem(last=False)
        return 0.0 if heard else (1.0 - left) * 60 / PER_MINUTE
