"""The only place that reads the wall clock. Everything else is handed a ``Clock``."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time and a monotone time for durations."""

    def now(self) -> datetime:
        """Return aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()
