"""The declaration model of a record: an object with states, moves, deadlines and a log.

One file in a system's ``records/`` declares one: a module with one name, ``RECORD``. What is
wrong with it is named when it is loaded; see ``catalog/lifecycle/checks.py``.
"""

from typing import Literal

from pydantic import Field

from catalog.base import Frozen, Name, Severity, Text
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.fields import PLACE, Choice, RecordField
from catalog.lifecycle.kpi import Kpi, Score

BACK = "back"
"""Stands where a move names its state: the one that was left last."""
ANYONE = "public"
"""The role of whoever is not logged in, through the public's own ways in."""
ENGINE = "engine"
"""The role of the platform itself: rules, schedules, timers."""
RESERVED = {"open", "undo", "due_soon", "overdue", BACK}


class Role(Frozen):
    """A duty. ``held_by`` is the console's role that has it without a grant of its own.

    With ``scope`` a holder acts only on records whose field of that name is what the grant says,
    e.g. a department on the cases that were given to it.
    """

    name: Name
    title: Text
    held_by: Literal["viewer", "operator", "admin", "nobody"] = "operator"
    scope: str = ""


class State(Frozen):
    """A state. ``public`` is what somebody outside reads; without it the title."""

    name: Name
    title: Text
    public: Text | None = None
    final: bool = False


class Clock(Frozen):
    """A deadline: started, paused and stopped by moves. Overdue is an alert of ``severity``.

    The limit is one for all, or the table ``limits`` by the value of the field ``by``.
    """

    name: Name
    title: Text
    limit: Limit | None = None
    by: str = ""
    limits: dict[str, Limit] = Field(default={})
    warn_at: float = Field(default=0.8, gt=0, lt=1)
    """At this share of the limit it is due soon."""
    severity: Severity | None = Severity.YELLOW
    """Of the alert when it is overdue; none = no alert."""


class Extension(Frozen):
    """What a move adds to a clock: as many of the limit's own units as a field says."""

    clock: Name
    field: Name


class Due(Frozen):
    """When the platform itself takes a move: at the time in ``field``, or ``plus_min`` after it.

    Without a time it is the opening; ``plus_min`` names a field of minutes.
    """

    field: Name
    plus_min: str = ""


class Told(Frozen):
    """An exercise: moves that receivers of the exercise channel are told of, and answer.

    ``receivers`` is a field of their names, absent = the whole channel; ``severity`` a choice of 1
    to 4; ``events`` says which move is told as what, ``start`` as ``drill.started`` say.
    """

    receivers: Name
    severity: Name
    events: dict[str, str] = Field(min_length=1)


class Move(Frozen):
    """One legal step. ``to`` absent = the state stays; ``back`` = the state that was left last."""

    name: Name
    title: Text
    from_states: tuple[Name, ...] = Field(min_length=1)
    to: Name | None = None
    roles: tuple[Name, ...] = Field(min_length=1)
    needs: tuple[Name, ...] = ()
    """Fields that must be given with it."""
    takes: tuple[Name, ...] = ()
    """Fields that may be."""
    starts: tuple[Name, ...] = ()
    pauses: tuple[Name, ...] = ()
    resumes: tuple[Name, ...] = ()
    stops: tuple[Name, ...] = ()
    extends: tuple[Extension, ...] = ()
    reasons: tuple[Choice, ...] = ()
    """One of these must be given, and the public reads it."""
    note: bool = False
    """A note must be given."""
    undo_s: float = Field(default=0.0, ge=0, le=3600)
    """So long may whoever made it take it back, while nothing has followed."""
    due: Due | None = None
    """The platform takes it by itself, with the first of its reasons."""
    quick: bool = False
    """One press, without a form."""
    apart: tuple[Name, ...] = ()
    """Whoever took one of these moves (``open`` is one) may not take this: it needs four eyes."""


class Near(Frozen):
    """When another record may be about the same thing: same fields, near in place and time."""

    same: tuple[Name, ...] = ()
    within_m: float = Field(gt=0, le=20_000)
    within_h: float = Field(gt=0, le=24 * 90)


class FromRule(Frozen):
    """A record that alerts of these rules open; ``*`` is a wildcard.

    ``fields`` are given as they are, ``copied`` takes a fact of the alert (``episode``, ``rule``,
    ``stream``, ``sensor``, ``severity``, ``value``, ``lon``, ``lat``, ``district``, ``address``,
    ``title``) into a field; ``thing`` is the one that has the sensor, of the kinds that the field
    names. The end of the alert does not touch the record.
    """

    rules: tuple[str, ...] = Field(min_length=1)
    worst: Severity = Severity.BLUE
    """Only alerts of this severity or worse."""
    fields: dict[str, str | float | bool] = Field(default={})
    copied: dict[str, str] = Field(default={})


ALERT_FACTS = {
    *("episode", "rule", "stream", "sensor", "severity", "value", "lon", "lat"),
    *("district", "address", "title", "thing"),
}


class Opening(Frozen):
    """Who may open a record, with which clocks started, and which rules do."""

    title: Text
    roles: tuple[Name, ...] = Field(min_length=1)
    starts: tuple[Name, ...] = ()
    rules: tuple[FromRule, ...] = ()
    every: Literal["", "day"] = ""
    """``day``: one is opened each local day by the platform, keyed by its date."""
    fields: dict[str, str | float | bool] = Field(default={})
    """What a scheduled one holds."""


class Open311(Frozen):
    """How the public reports and follows by Open311 GeoReport v2: which field is what there.

    ``clock`` is the one whose deadline is ``expected_datetime``; ``fixed`` is given to each report.
    """

    service: Name
    """A choice: each of its values is a service, its parent the group."""
    description: Name
    agency: Name
    media: Name
    phone: Name
    clock: Name
    fixed: dict[str, str] = Field(default={})


class Record(Frozen):
    """One kind of record."""

    name: Name
    title: Text
    plural: Text
    system: str = ""
    """Set when it is loaded: the name of the system's folder."""
    icon: str = "assignment"
    located: Literal["must", "may", "not"] = "may"
    """Whether a record has a place; then it has the fields of ``PLACE`` too."""
    fields: tuple[RecordField, ...] = ()
    headline: tuple[Name, ...] = ()
    """The fields that lists and messages show, in this order."""
    roles: tuple[Role, ...] = Field(min_length=1)
    states: tuple[State, ...] = Field(min_length=2)
    """In the order of the board; the first is where a record begins."""
    clocks: tuple[Clock, ...] = ()
    opening: Opening
    moves: tuple[Move, ...] = Field(min_length=1)
    dedupe: tuple[Name, ...] = ()
    """At most one open record has the same values of these fields, where all are given."""
    near: Near | None = None
    told: Told | None = None
    public: bool = False
    """Whether anyone may read the public fields and states."""
    open311: Open311 | None = None
    kpis: tuple[Kpi | Score, ...] = ()

    @property
    def initial(self) -> str:
        """The state of a record that was just opened."""
        return self.states[0].name

    @property
    def all_fields(self) -> tuple[RecordField, ...]:
        """Its own fields, and those of its place."""
        return self.fields if self.located == "not" else (*self.fields, *PLACE)

    def field(self, name: str) -> RecordField | None:
        """Return a field by its name."""
        return next((f for f in self.all_fields if f.name == name), None)

    def state(self, name: str) -> State:
        """Return a state; one that is declared no more is called by its name."""
        known = next((s for s in self.states if s.name == name), None)
        return known or State(name=name, title=Text(zh=name, en=name))

    def move(self, name: str) -> Move | None:
        """Return a move by its name."""
        return next((m for m in self.moves if m.name == name), None)

    def clock(self, name: str) -> Clock | None:
        """Return a clock by its name."""
        return next((c for c in self.clocks if c.name == name), None)

    def role(self, name: str) -> Role | None:
        """Return a role by its name."""
        return next((r for r in self.roles if r.name == name), None)
