"""What is set for single sensors in place of a metric's declaration: span, floor, resolution.

The site sets some in ``sites/<city>/overrides/<stream>.py``, a name ``OVERRIDES``. A person sets
others while the platform runs: each is a record of the readings topic, in the partition of its
sensor, so that whoever reads the log again judges every reading as it was judged.
"""

import math
from pathlib import Path

import msgspec
from pydantic import model_validator

from catalog.base import Frozen, Name, Span
from catalog.declared import DeclarationError, load
from catalog.frames import FrameError
from catalog.metrics import Metric
from catalog.model import Stream
from catalog.site import site_folder

OVERRIDE_TYPE = "city.override"


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one metric of one sensor, in the metric's unit; nothing set = as declared.

    ``revision`` rises with each that is set for the platform. ``until`` is the platform's time
    (epoch seconds of ticks) at which it ends; none = when another one takes its place.
    """

    revision: int
    sensor: str
    metric: str
    span: tuple[float, float] | None = None
    """Outside it a value is suspect, in place of ``suspect_span``."""
    floor: float | None = None
    """A value at or below it may rest there: the limit of detection."""
    resolution: float | None = None
    """The step in which values come: a change by one says nothing, no spread is smaller."""
    until: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether anything holds by it."""
        return any(x is not None for x in (self.span, self.floor, self.resolution))

    def ended(self) -> "Override":
        """Return what is left of it when its time is over."""
        return Override(revision=self.revision, sensor=self.sensor, metric=self.metric)


class SiteOverride(Frozen):
    """What a site sets for a metric of one sensor, or of all of its sensors of the stream."""

    metric: Name
    sensor: str = ""
    """Empty: every sensor of the stream."""
    span: Span | None = None
    floor: float | None = None
    resolution: float | None = None
    author: str
    reason: str

    @model_validator(mode="after")
    def _says_why(self) -> "SiteOverride":
        if not self.author.strip() or not self.reason.strip():
            raise ValueError(f"{self.metric}: say who set it, and why")
        return self


_DECODER = msgspec.json.Decoder(Override)


def encode_override(override: Override) -> bytes:
    """Return the Kafka value of an override."""
    return msgspec.json.encode(override)


def decode_override(value: bytes | None) -> Override:
    """Decode an override; ``FrameError`` code ``override`` otherwise."""
    try:
        return _DECODER.decode(value or b"")
    except msgspec.DecodeError as error:
        raise FrameError("override", str(error)) from None


def mistake(
    metric: Metric, span: Span | None, floor: float | None, resolution: float | None
) -> str:
    """Return what is wrong with an override of a metric; empty when nothing is."""
    low, high = metric.fail_span
    given = [*(span or ()), *(x for x in (floor, resolution) if x is not None)]
    if metric.is_named:
        return f"{metric.name} has values that are names: they have no span"
    if not given:
        return "nothing is set: give a span, a floor or a resolution"
    if not all(map(math.isfinite, given)):
        return "numbers must be finite"
    if span is not None and not low <= span[0] < span[1] <= high:
        return f"a span must rise and lie within {low:g} … {high:g}, the instrument's range"
    if floor is not None and not low <= floor <= high:
        return f"a floor must lie within {low:g} … {high:g}, the instrument's range"
    if resolution is not None and not 0 < resolution <= high - low:
        return "a resolution is a step above zero within the instrument's range"
    return ""


def site_overrides(stream: Stream) -> tuple[SiteOverride, ...]:
    """Return what the site sets for a stream: for all sensors first, then for single ones."""
    return read_overrides(site_folder() / "overrides" / f"{stream.name}.py", stream)


def read_overrides(path: Path, stream: Stream) -> tuple[SiteOverride, ...]:
    """Return what a file sets for a stream; nothing where there is no such file."""
    if not path.is_file():
        return ()
    found: tuple[SiteOverride, ...] = load(path, "OVERRIDES", tuple)
    for one in found:
        known = stream.metric(one.metric)
        what = f"no metric {one.metric!r} of {stream.name}"
        wrong = what if known is None else mistake(known, one.span, one.floor, one.resolution)
        if wrong:
            raise DeclarationError(f"{path}: {wrong}")
    return tuple(sorted(found, key=lambda one: bool(one.sensor)))
