"""The declaration model of a plan: what is proposed when something holds, and to which devices.

One file in a system's ``plans/`` declares one: a module with one name, ``PLAN``. The steps of what
it proposes are moves of a record (``catalog/plan/steps.py``). What computes on it is
``records/plans``.
"""

import string
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Severity, Text
from catalog.conditions import Schedule

Mode = Literal["advise", "confirm", "auto"]
FILLED = frozenset({"place", "value", "unit", "km", "kind"})
"""What a template may name: where the cause is, its value with unit, how far ahead, its kind."""


class OnAlert(Frozen):
    """While an alert of these rules (``*`` is a wildcard), at least so severe, is open."""

    rules: tuple[str, ...] = Field(min_length=1)
    worst: Severity = Severity.BLUE


class OnReading(Frozen):
    """From the reading that reaches ``start`` until one that is back at ``end``.

    ``end`` below ``start``: high values start it; above: low ones do.
    """

    stream: Name
    metric: Name
    start: float
    end: float

    @model_validator(mode="after")
    def _has_a_band(self) -> "OnReading":
        if self.start == self.end:
            raise ValueError("start and end differ, or it would start and end with each reading")
        return self


class OnRecord(Frozen):
    """While a record that has a place is in one of these states; ``only``: with these fields."""

    record: Name
    states: tuple[Name, ...] = Field(min_length=1)
    only: dict[Name, tuple[str, ...]] = Field(default={})
    kind: Name | None = None
    """The choice whose title fills ``{kind}``."""


When = OnAlert | OnReading | OnRecord


class Ahead(Frozen):
    """Devices that whoever passes still has the cause ahead of him, the nearest first.

    ``within_s``: so far by the network's free time. A cause further than ``off_km`` from every link
    lies on none of them.
    """

    device: Name
    network: Name
    within_s: float = Field(gt=0)
    off_km: float = Field(default=2.0, gt=0)
    most: int = Field(default=4, ge=1, le=50)


class Near(Frozen):
    """Devices near the cause, as the crow flies, the nearest first."""

    device: Name
    within_km: float = Field(gt=0)
    most: int = Field(default=4, ge=1, le=50)


class Template(Frozen):
    """What happened, where, and what to do: without one of the three nothing is said."""

    what: Text
    where: Text
    advice: Text

    def parts(self) -> Iterator[Text]:
        """Return the three in the order in which they are shown."""
        yield from (self.what, self.where, self.advice)

    def names(self) -> set[str]:
        """Return what the template wants filled in."""
        texts = [t for part in self.parts() for t in (part.zh, part.en)]
        return {name for t in texts for _, name, _, _ in string.Formatter().parse(t) if name}


class Guard(Frozen):
    """What the data of the cause must be like, or nothing is proposed nor sent.

    The sensor's last reading is not older than ``fresh_s`` and none of its own maintenance alerts
    is open. ``unconfirmed``: an alert may rest on suspect values.
    """

    fresh_s: float = Field(gt=0)
    unconfirmed: bool = False


class Effect(Frozen):
    """What shows whether it helped: a metric near the cause, before it and ``after_s`` later."""

    stream: Name
    metric: Name
    within_m: float = Field(gt=0)
    after_s: float = Field(ge=60)
    better: Literal["less", "more"]


class Plan(Frozen):
    """What is proposed, to whom, who decides, and how long it may be shown."""

    name: Name
    title: Text
    system: str = ""
    """Set when it is loaded: the name of the system's folder."""
    record: Name
    """The record whose moves are its steps."""
    when: tuple[When, ...] = Field(min_length=1)
    hours: Schedule | None = None
    """Only then; absent = at all times."""
    whom: Ahead | Near
    shows: Template
    mode: Mode = "confirm"
    """``advise``: told only. ``confirm``: a person approves. ``auto``: sent at once."""
    priority: int = Field(ge=1, le=15)
    """On a device the highest is shown; it takes the place of a lower one."""
    guard: Guard
    answer_s: float = Field(gt=0)
    """A proposal that nobody has answered by then lapses."""
    show_s: float = Field(ge=60, le=6 * 3600)
    """From the approval on. While the cause stands another is proposed then."""
    effect: Effect | None = None
