"""What is set for single sensors in place of the declaration, as the reference keeps it."""

from dataclasses import dataclass

from catalog.model import Metric, Stream
from catalog.overrides import Override, SiteOverride, site_overrides
from verify.oracle.device import Device
from verify.oracle.quality import new_trace
from verify.oracle.usual import Baselines


@dataclass
class Said:
    """What holds for one metric of one sensor; None = as declared."""

    span: tuple[float, float] | None = None
    floor: float | None = None
    resolution: float | None = None


class Overrides:
    """All that site and people have set for one partition."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._site = site_overrides(stream)
        self._people: dict[tuple[str, str], Override] = {}
        self._over: set[int] = set()
        """Revisions whose time is over."""

    def take(self, override: Override) -> bool:
        """Keep an override of a person; False when a newer one is known."""
        key = (override.sensor, override.metric)
        if key in self._people and self._people[key].revision >= override.revision:
            return False
        self._people[key] = override
        return True

    def end(self, at: int) -> list[Override]:
        """Return those whose time is over at a tick (epoch seconds), each once."""
        over = [
            o
            for o in self._people.values()
            if o.is_set and o.until is not None and o.until <= at and o.revision not in self._over
        ]
        self._over |= {o.revision for o in over}
        return over

    def said(self, sensor: str, metric: str) -> Said:
        """Return what holds: of the site, then of the site for the sensor, then of a person."""
        layers: list[SiteOverride | Override] = [
            one for one in self._site if one.metric == metric and one.sensor in ("", sensor)
        ]
        layers.sort(key=lambda one: one.sensor == sensor)
        person = self._people.get((sensor, metric))
        if person is not None and person.revision not in self._over:
            layers.append(person)
        found = Said()
        for layer in layers:
            found.span = layer.span or found.span
            found.floor = found.floor if layer.floor is None else layer.floor
            found.resolution = layer.resolution or found.resolution
        return found

    def metric(self, sensor: str, metric: Metric) -> Metric:
        """Return a metric as it is judged of a sensor."""
        span = self.said(sensor, metric.name).span
        return metric.model_copy(update={"suspect_span": span}) if span else metric

    def apply(self, device: Device, baselines: Baselines) -> None:
        """Let what a sensor has shown be looked at by what holds for it now."""
        if not (self._site or self._people):
            return
        for metric in self._stream.metrics:
            said = self.said(device.name, metric.name)
            trace = device.traces.setdefault(metric.name, new_trace(self._stream, metric))
            trace.floor = float("-inf") if said.floor is None else said.floor
            trace.resolution = said.resolution or 0.0
            baselines.set_step(device.usual, metric.name, said.resolution or 0.0)
