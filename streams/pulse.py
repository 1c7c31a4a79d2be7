"""How long this worker has heard nothing from any stream; its ticks carry it into the log."""

from dataclasses import dataclass

from catalog.model import Stream
from catalog.ticks import Pulse


@dataclass(slots=True)
class PulseCounter:
    """Counts ticks, not seconds: while none can be written, nothing can arrive either."""

    quiet_s: int = 0
    cadence_s: int = 0

    def arrived(self, stream: Stream) -> None:
        """Note a frame of a stream."""
        self.quiet_s = 0
        self.cadence_s = min(self.cadence_s or stream.cadence_s, stream.cadence_s)

    def beat(self) -> Pulse:
        """Return the pulse for the next tick."""
        pulse = Pulse(self.quiet_s, self.cadence_s)
        self.quiet_s += 1
        return pulse
