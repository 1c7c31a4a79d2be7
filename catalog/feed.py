"""The declaration model of a feed: a public view of what is known, in a format, for a time.

One file in a system's ``feeds/`` declares one: a module with one name, ``FEED``. What writes it is
``exchange/``.
"""

from collections.abc import Iterator
from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Severity, Text
from catalog.declared import load_all
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.network import networks
from catalog.plan.device import devices

Cause = Literal[
    "UNKNOWN_CAUSE",
    "OTHER_CAUSE",
    "TECHNICAL_PROBLEM",
    "STRIKE",
    "DEMONSTRATION",
    "ACCIDENT",
    "HOLIDAY",
    "WEATHER",
    "MAINTENANCE",
    "CONSTRUCTION",
    "POLICE_ACTIVITY",
    "MEDICAL_EMERGENCY",
]
Effect = Literal[
    "NO_SERVICE",
    "REDUCED_SERVICE",
    "SIGNIFICANT_DELAYS",
    "DETOUR",
    "ADDITIONAL_SERVICE",
    "MODIFIED_SERVICE",
    "OTHER_EFFECT",
    "UNKNOWN_EFFECT",
    "STOP_MOVED",
    "NO_EFFECT",
    "ACCESSIBILITY_ISSUE",
]
"""Words of GTFS Realtime v2.0, ``Alert.Cause`` and ``Alert.Effect``."""


class Kind(Frozen):
    """What a value of a field is told as."""

    cause: Cause
    effect: Effect


class RecordAlerts(Frozen):
    """Records in these states, by their public fields alone; ``by``: the choice that says its kind.

    ``worse``: values of another choice that make it SEVERE.
    """

    record: Name
    states: tuple[Name, ...] = Field(min_length=1)
    by: Name
    kinds: dict[str, Kind]
    severe: tuple[Name, tuple[str, ...]] | None = None


class ClosureAlerts(Frozen):
    """Alerts that close links of a network: told as the title of the sensor, and ``what``."""

    network: Name
    kind: Kind
    what: Text


class GtfsAlerts(Frozen):
    """GTFS Realtime ServiceAlerts, v2.0, the whole set each time."""

    format: Literal["gtfs-rt"] = "gtfs-rt"
    agency: str = Field(min_length=1, max_length=60)
    of: tuple[RecordAlerts | ClosureAlerts, ...] = Field(min_length=1)


class Grade(Frozen):
    """A level of a link: at least so much of its free speed."""

    name: Name
    title: Text
    least: float = Field(ge=0, lt=1)


class LinkStates(Frozen):
    """What links of a network cost now, as GeoJSON; ``grades`` from the best on, the last at 0."""

    format: Literal["geojson"] = "geojson"
    network: Name
    grades: tuple[Grade, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _falls(self) -> "LinkStates":
        ends = [grade.least for grade in self.grades]
        if ends != sorted(set(ends), reverse=True) or ends[-1] != 0:
            raise ValueError("grades go down to 0, each below the one before")
        return self


class DeviceStates(Frozen):
    """What devices were found to show, after DATEX II's two VMS publications, as JSON."""

    format: Literal["vms-json"] = "vms-json"
    device: Name
    fresh_s: float = Field(default=120, gt=0)
    """Of one that was not read back for longer nothing is told but that."""


class Feed(Frozen):
    """One feed: what it shows, how long an answer holds, and under which licence."""

    name: Name
    title: Text
    system: str = ""
    """Set when it is loaded: the name of the system's folder."""
    shows: GtfsAlerts | LinkStates | DeviceStates = Field(discriminator="format")
    ttl_s: int = Field(ge=5, le=3600)
    licence: str = Field(min_length=1)

    @model_validator(mode="after")
    def _shows_what_exists(self) -> "Feed":
        if wrong := list(_problems(self)):
            raise ValueError("; ".join(wrong))
        return self


@cache
def feeds() -> dict[str, Feed]:
    """Return all declared feeds by name; read once per process."""
    return load_all("feeds", "FEED", Feed)


def _problems(feed: Feed) -> Iterator[str]:
    shows = feed.shows
    if isinstance(shows, LinkStates):
        yield from _network(shows.network)
    elif isinstance(shows, DeviceStates):
        if shows.device not in devices():
            yield f"no devices of kind {shows.device!r}"
    else:
        for view in shows.of:
            if isinstance(view, RecordAlerts):
                yield from _record(view)
            else:
                yield from _network(view.network)


def _network(name: str) -> Iterator[str]:
    if name not in networks():
        yield f"no network {name!r}"


def _record(view: RecordAlerts) -> Iterator[str]:
    record = records().get(view.record)
    if record is None or not record.public or record.located == "not":
        yield f"no public record {view.record!r} that has a place"
        return
    states = {s.name for s in record.states if not s.final}
    yield from (f"{view.record}: no open state {s!r}" for s in view.states if s not in states)
    severe, values = view.severe or (view.by, ())
    yield from _choices(record, view.by, {*view.kinds}, every=True)
    yield from _choices(record, severe, {*values}, every=False)


def _choices(record: Record, name: str, values: set[str], *, every: bool) -> Iterator[str]:
    """Say what is wrong with values of a public choice; with ``every`` all of them are needed."""
    field = record.field(name)
    if field is None or not field.public or not field.choices:
        yield f"{record.name}: {name!r} is no public choice"
        return
    known = {choice.name for choice in field.choices}
    yield from (f"{record.name}: {v!r} is no {name}" for v in sorted(values - known))
    if every and known - values:
        yield f"{record.name}: kinds says nothing of {', '.join(sorted(known - values))}"


def severity_word(severity: int, worst: Severity = Severity.ORANGE) -> str:
    """Return an alert's severity as GTFS Realtime says it."""
    return "SEVERE" if severity <= worst else "WARNING"
