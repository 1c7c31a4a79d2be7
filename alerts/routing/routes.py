"""The routing tree: which receivers an alert goes to, and how."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.errors import FatalError
from catalog.registry import systems
from catalog.rules import Concern
from catalog.site import site, zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ReceiverName = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,62})$")]
SeverityName = Literal["red", "orange", "yellow", "blue"]


class Part(BaseModel):
    """Base of the file's parts: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Match(Part):
    """What a route takes: every given list must hold the alert's label (``*`` is a wildcard)."""

    domain: tuple[str, ...] = ()
    district: tuple[str, ...] = ()
    stream: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    sensor: tuple[str, ...] = ()
    severity: tuple[SeverityName, ...] = ()
    incident: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    flapping: tuple[Literal["true", "false"], ...] = ()
    concern: tuple[Concern, ...] = ()

    @field_validator("domain")
    @classmethod
    def _domains(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return _known(given, set(systems()), "domain")

    @field_validator("district")
    @classmethod
    def _districts(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return _known(given, set(site().districts), "district")

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels pass."""
        for name, wanted in self:
            given = labels.get(name, "")
            if wanted and not any(fnmatchcase(given, pattern) for pattern in wanted):
                return False
        return True


class Group(Part):
    """Collect notices with equal labels ``by``; seconds. No ``repeat_s`` = say it once."""

    by: tuple[str, ...] = ()
    wait_s: float = Field(default=0, ge=0, le=3600)
    interval_s: float = Field(default=300, ge=1, le=86400)
    repeat_s: float | None = Field(default=None, ge=60)

    def key(self, labels: Mapping[str, str]) -> str:
        """Return the group of these labels."""
        return "{" + ",".join(f"{name}={labels.get(name, '')}" for name in self.by) + "}"


class Step(Part):
    """Tell ``to`` when nobody has acknowledged for ``after_min`` minutes."""

    after_min: float = Field(gt=0, le=24 * 60)
    to: tuple[ReceiverName, ...] = Field(min_length=1)


class Mute(Part):
    """Local hours in which a route says nothing; what is open afterwards is said then."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = DAYS
    hours: tuple[time, time]

    def covers(self, now: datetime) -> bool:
        """Tell whether ``now`` lies in it; a range over midnight belongs to the day it began."""
        local = now.astimezone(zone())
        begin, end = self.hours
        today, at = local.weekday(), local.time()
        if begin <= end:
            return DAYS[today] in self.days and begin <= at < end
        began_today = at >= begin and DAYS[today] in self.days
        return began_today or (at < end and DAYS[(today - 1) % 7] in self.days)


class Route(Part):
    """One node of the tree; what it does not say it takes from its parent."""

    match: Match = Match()
    receivers: tuple[ReceiverName, ...] | None = None
    group: Group | None = None
    mute: tuple[str, ...] | None = None
    escalate: tuple[Step, ...] | None = None
    go_on: bool = Field(default=False, alias="continue")
    routes: tuple["Route", ...] = ()


class RouteFile(Part):
    """The whole file."""

    storm: int = Field(default=20, ge=1)
    incident_interval_s: float = Field(default=300, ge=0, le=3600)
    """Notices of one confirmed incident come as one so often at most; 0 = each by itself."""
    fallback: tuple[ReceiverName, ...] = ()
    route: Route
    mutes: dict[str, Mute] = {}


@dataclass(frozen=True, slots=True)
class Leg:
    """One way an alert takes: a route's path, its receivers, and how they are told."""

    path: str
    receivers: tuple[str, ...]
    group: Group
    mutes: tuple[Mute, ...]
    escalate: tuple[Step, ...]

    def muted(self, now: datetime) -> bool:
        """Tell whether the route says nothing at this hour."""
        return any(mute.covers(now) for mute in self.mutes)


class Routes:
    """The tree, flattened once: each node with what it inherits."""

    def __init__(self, file: RouteFile) -> None:
        self.file = file
        root = Leg("root", ("*",), Group(), (), ())
        self._root = _node(file.route, root, file.mutes, "root")
        self._legs = {leg.path: leg for leg in self._root.all()}

    def legs(self, labels: Mapping[str, str]) -> list[Leg]:
        """Return the ways of an alert with these labels, in the order of the file."""
        return list(self._root.find(labels))

    def leg(self, path: str) -> Leg:
        """Return a way by its path; one that an edit of the file removed becomes the root."""
        return self._legs.get(path, self._root.leg)

    def receivers(self) -> set[str]:
        """Return every receiver the file names."""
        named = {r for leg in self._legs.values() for r in leg.receivers}
        named |= {r for leg in self._legs.values() for step in leg.escalate for r in step.to}
        return (named | set(self.file.fallback)) - {"*"}


@dataclass(frozen=True, slots=True)
class _Node:
    match: Match
    leg: Leg
    go_on: bool
    children: tuple["_Node", ...]

    def find(self, labels: Mapping[str, str]) -> Iterator[Leg]:
        found = False
        for child in self.children:
            if child.match.takes(labels):
                found = True
                yield from child.find(labels)
                if not child.go_on:
                    return
        if not found:
            yield self.leg

    def all(self) -> Iterator[Leg]:
        yield self.leg
        for child in self.children:
            yield from child.all()


def read_routes(path: Path) -> Routes:
    """Read and check a file; ``FatalError`` that lists every mistake with its place."""
    try:
        return Routes(RouteFile.model_validate(tomllib.loads(path.read_text())))
    except ValidationError as error:
        wrong = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        reason = "\n".join([f"{path.name} has mistakes:", *wrong])
    except (OSError, tomllib.TOMLDecodeError, ValueError) as error:
        reason = f"{path.name}: {error}"
    raise FatalError(reason, code="routes", stage="delivering")


def check_receivers(routes: Routes, known: set[str]) -> list[str]:
    """Return the receivers the file names that are not registered."""
    return sorted(routes.receivers() - known)


def _node(route: Route, parent: Leg, mutes: Mapping[str, Mute], path: str) -> _Node:
    unknown = [name for name in route.mute or () if name not in mutes]
    if unknown:
        raise ValueError(f"{path}: no [mutes.{unknown[0]}] in this file")
    leg = Leg(
        path,
        parent.receivers if route.receivers is None else route.receivers,
        parent.group if route.group is None else route.group,
        parent.mutes if route.mute is None else tuple(mutes[name] for name in route.mute),
        parent.escalate if route.escalate is None else route.escalate,
    )
    children = tuple(
        _node(child, leg, mutes, f"{path}.{n}") for n, child in enumerate(route.routes, 1)
    )
    return _Node(route.match, leg, route.go_on, children)


def _known(given: tuple[str, ...], known: set[str], what: str) -> tuple[str, ...]:
    for value in given:
        if "*" not in value and value not in known:
            raise ValueError(f"no {what} {value!r}; known: {', '.join(sorted(known))}")
    return given
