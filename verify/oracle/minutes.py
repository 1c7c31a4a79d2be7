"""Windows of the reference: one minute of one sensor, put out when it is over or has changed."""

from typing import Any

from catalog.contracts import WINDOW_S
from catalog.model import Stream
from verify.oracle.device import Device, Statistic, Window
from verify.oracle.quality import US, Checked
from verify.oracle.results import Results, Values

WINDOW_US = WINDOW_S * US
TICK_GRACE_US = 2 * US


class Minutes:
    """The windows of one stream."""

    def __init__(self, stream: Stream, results: Results) -> None:
        self._stream = stream
        self._results = results

    def count(self, device: Device, reading: Checked) -> None:
        """Count a reading's row in its window."""
        self._window(device, reading.at).rows += 1

    def add(self, device: Device, reading: Checked, quantities: Values) -> None:
        """Add a reading's values, and the quantities computed of them, to its window."""
        window = self._window(device, reading.at)
        for name in (*self._stream.metric_names, *quantities):
            window.statistics.setdefault(name, Statistic())
        for name in self._stream.metric_names:
            x = reading.values.get(name)
            if x is not None:
                good, used = reading.is_good(name), reading.is_usable(name)
                window.statistics[name].add(reading.at, x, good, used)
        for name, x in quantities.items():
            if name not in self._stream.metric_names and x is not None:
                window.statistics[name].add(reading.at, x, True, True)

    def begun(self, device: Device) -> None:
        """Put out what changed before the sensor's newest window, or was put out before."""
        current = (device.newest or 0) // WINDOW_US * WINDOW_US
        for window in list(device.changed.values()):
            if window.start < current or window.revision:
                self._publish(device, window)

    def over(self, device: Device, at: int, ticks: int) -> None:
        """Put out, at a tick, what is over and has not changed since the tick before."""
        for window in list(device.changed.values()):
            over = window.start + WINDOW_US + TICK_GRACE_US <= at * US
            if over and device.filled_tick < ticks - 1:
                self._publish(device, window)

    def _window(self, device: Device, at: int) -> Window:
        start = at // WINDOW_US * WINDOW_US
        window = device.windows.setdefault(start, Window(start))
        device.changed[start] = window
        return window

    def _publish(self, device: Device, window: Window) -> None:
        del device.changed[window.start]
        window.revision += 1
        row: dict[str, Any] = {"n": window.rows}
        for name in self._stream.aggregate_names:
            s = window.statistics.get(name, Statistic())
            row[f"{name}_n"], row[f"{name}_good"], row[f"{name}_used"] = s.n, s.good, s.used
            row[f"{name}_sum"] = s.sum if s.used else None
            row[f"{name}_min"], row[f"{name}_max"], row[f"{name}_last"] = s.min, s.max, s.last
        key = (self._stream.name, device.name, window.start, window.revision)
        self._results.windows[key] = row
