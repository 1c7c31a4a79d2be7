"""The declaration model of a thing: an object that lasts, such as a lamp, a bridge, a department.

One file in a system's ``things/`` declares a kind: a module with one name, ``THING``. A thing has
no moves and no end: its state is the first of the declared states for which something holds that
the platform knows: an open alert, a last reading, a last fact, an open record that names it.
"""

from typing import Literal

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Severity, Text


class ThingAttribute(Frozen):
    """A fixed property, given with the place by the site."""

    name: Name
    title: Text
    unit: str = ""


class Shown(Frozen):
    """What a thing shows now: a metric of its sensor, or a field of the last fact at it."""

    name: Name
    title: Text
    reading: Name | None = None
    """A metric of the stream ``Thing.sensors``."""
    fact: Name | None = None
    field: Name | None = None
    unit: str = ""
    decimals: int = 1

    @model_validator(mode="after")
    def _has_one_source(self) -> "Shown":
        if (self.reading is None) == (self.fact is None) or (self.fact is None) != (
            self.field is None
        ):
            raise ValueError(f"{self.name}: shows a reading, or a fact with its field")
        return self


class When(Frozen):
    """What puts a thing into a state; exactly one of these is said.

    ``alert``: a rule (``*`` is a wildcard) has an open alert at its sensor. ``reading``: the last
    value of a metric compares so with ``value``. ``fact``: one came within ``within_s``.
    ``record``: an open one of this kind names the thing in its field ``by``; in one of ``states``
    if given, overdue if ``overdue``. ``silent_s``: its sensor has said nothing for so long.
    """

    alert: str = ""
    reading: Name | None = None
    op: Literal["<", "<=", ">", ">=", "="] = ">="
    value: float | None = None
    fact: Name | None = None
    within_s: float | None = Field(default=None, gt=0)
    record: Name | None = None
    by: Name | None = None
    states: tuple[Name, ...] = ()
    overdue: bool = False
    silent_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _says_one_thing(self) -> "When":
        said = (self.alert, self.reading, self.fact, self.record, self.silent_s)
        if sum(one not in ("", None) for one in said) != 1:
            raise ValueError("a condition says one thing")
        if (self.reading is None) != (self.value is None):
            raise ValueError("a reading is compared with a value")
        if (self.fact is None) != (self.within_s is None):
            raise ValueError("a fact comes within_s seconds")
        if (self.record is None) != (self.by is None):
            raise ValueError("a record names the thing in its field `by`")
        return self

    @property
    def cause(self) -> str:
        """What the history calls it."""
        if self.record:
            return f"record {self.record}"
        if self.silent_s:
            return "silent"
        return f"alert {self.alert}" if self.alert else f"{self.reading or self.fact}"


class ThingState(Frozen):
    """A state: when it holds, and how urgent it looks; without a severity it is in order."""

    name: Name
    title: Text
    when: tuple[When, ...] = ()
    """Any of these; the last state has none."""
    severity: Severity | None = None
    stale: bool = False
    """Nothing is known: shown grey with ✕, as a silent sensor."""


class Placed(Frozen):
    """One thing, as the site or the system places it. ``parent`` is the id of its parent."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    title: Text
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    district: str = ""
    street: str = ""
    attributes: dict[str, float | str] = Field(default={})
    parent: str = ""
    sensor: str = ""
    """Whose readings and alerts are its own."""


class Thing(Frozen):
    """One kind of thing.

    Those of a kind are ``placed`` here, placed by the site (``sites/<city>/things/<kind>.py``, a
    name ``THINGS``), and, with ``each_sensor``, every sensor of its stream is one.
    """

    name: Name
    title: Text
    plural: Text
    system: str = ""
    """Set when it is loaded: the name of the system's folder."""
    icon: str = "place"
    attributes: tuple[ThingAttribute, ...] = ()
    sensors: Name | None = None
    """The stream of the sensors that things of this kind have."""
    each_sensor: bool = False
    shows: tuple[Shown, ...] = ()
    states: tuple[ThingState, ...] = Field(min_length=1)
    """The first that holds is the state; the last holds always."""
    parent: Name | None = None
    """The kind of the parent."""
    parent_id: str = ""
    """The parent of those that name none."""
    placed: tuple[Placed, ...] = ()

    def state(self, name: str) -> ThingState:
        """Return a state; one that is declared no more is called by its name."""
        known = next((s for s in self.states if s.name == name), None)
        return known or ThingState(name=name or "unknown", title=Text(zh=name, en=name))
