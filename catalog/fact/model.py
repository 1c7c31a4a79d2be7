"""The declaration model of a fact: something that happened once, at a thing, and counts.

A gantry passage, a stop call, a parking payment. What is added up is whole numbers of the smallest
unit (fen, seconds, 0.1 km/h), so that sums are equal to the last unit in whatever order they are
made. The minutes of a fact are a stream like any other (``Fact.stream``).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from catalog.base import ENGINEERING, Frozen, Name, Source, Text

LARGEST = 2**31
"""Of one measure. A day of 200 facts a second then adds up to less than 2^53."""
OWN = ("thing", "id", "at", "revision", "void", "received_at", "lag_s", "odd")
"""What every fact has beside its dimensions and measures."""
LAG = "lag_s"
"""Seconds from ``at`` until the gateway had it; a measure that needs no declaration."""


class Dimension(Frozen):
    """A property by which facts are told apart: one of ``values``, or a short free text.

    What is ``secret`` (a plate) comes in clear and leaves the gateway as a hash, keyed anew each
    day of the site; it is stored nowhere in clear, and after the key is gone no two days of it can
    be joined.
    """

    name: Name
    title: Text
    values: tuple[Name, ...] = ()
    needed: bool = False
    secret: bool = False


class Measure(Frozen):
    """A whole number that comes with the fact, within ``span``, both ends included."""

    name: Name
    unit: str
    title: Text
    span: tuple[int, int]
    needed: bool = False

    @model_validator(mode="after")
    def _span_is_sound(self) -> "Measure":
        low, high = self.span
        if low > high or max(abs(low), abs(high)) > LARGEST:
            raise ValueError(f"{self.name}: span must rise and stay within ±2^31")
        return self


OddFunction = Callable[[Mapping[str, Any]], NDArray[np.bool_]]


class Oddity(Frozen):
    """What makes a single fact abnormal. It is stored and counted all the same, and named.

    ``broken(columns)`` is elementwise and pure on the columns named in ``of``: measures as float64
    (NaN where absent), dimensions as objects (text or None).
    """

    name: Name
    title: Text
    of: tuple[Name, ...]
    broken: OddFunction
    source: Source = ENGINEERING


class Tally(Frozen):
    """One whole number that the facts of a minute make at a thing.

    ``where`` keeps those whose dimension has one of the values, ``has`` those that carry it at all,
    ``odd`` those with that oddity.
    ``count`` and ``sum`` of nothing are 0; the others are missing. ``p95``: the smallest value that
    95 % of them do not exceed.
    """

    name: Name
    kind: Literal["count", "sum", "max", "min", "p95"] = "count"
    of: Name | None = None
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    has: Name | None = None
    odd: Name | None = None

    @property
    def adds_up(self) -> bool:
        """Tell whether minutes of it add up to a day."""
        return self.kind in ("count", "sum")


class Fact(Frozen):
    """One kind of fact; its file lies in ``systems/<domain>/facts/``, under its name.

    A fact is known by its thing and ``id``. The same again changes nothing; a higher ``revision``
    corrects it (``void`` takes it out), and what it said before is kept. One that comes more than
    ``lateness_s`` after it happened goes to the dead letters: its books are closed.
    """

    name: Name
    domain: Name
    title: Text
    thing: Text
    version: int = 1
    dimensions: tuple[Dimension, ...] = ()
    measures: tuple[Measure, ...] = ()
    oddities: tuple[Oddity, ...] = ()
    tallies: tuple[Tally, ...] = Field(min_length=1)
    stream: Name
    """What its minutes are published as: a stream whose metrics are the tallies."""
    lateness_s: int = Field(gt=0, le=31 * 86_400)
    settle_s: int = Field(default=5, ge=1, le=600)
    """A minute is told of so long after its end; what comes later corrects it."""
    keep_days: int = Field(default=400, ge=1)

    @model_validator(mode="after")
    def _names_resolve(self) -> "Fact":
        names = [*OWN, *self.dimension_names, *self.measure_names]
        for kind, listed in (("field", names), ("tally", [t.name for t in self.tallies])):
            if twice := sorted({n for n in listed if listed.count(n) > 1}):
                raise ValueError(f"{self.name}: {kind} {', '.join(twice)} is declared twice")
        for oddity in self.oddities:
            if unknown := {*oddity.of} - {*self.dimension_names, *self.measure_names}:
                raise ValueError(f"{self.name}.{oddity.name}: unknown inputs {sorted(unknown)}")
        for tally in self.tallies:
            self._tally_resolves(tally)
        if self.keep_days * 86_400 <= self.lateness_s + 86_400:
            raise ValueError(f"{self.name}: facts are kept for more than a day beyond lateness_s")
        return self

    def _tally_resolves(self, tally: Tally) -> None:
        where = f"{self.name}.{tally.name}"
        if (tally.kind == "count") == (tally.of is not None):
            raise ValueError(f"{where}: a count is of nothing, all else of a measure")
        if tally.of is not None and tally.of not in (*self.measure_names, LAG):
            raise ValueError(f"{where}: no measure {tally.of}")
        if tally.has is not None and tally.has not in self.dimension_names:
            raise ValueError(f"{where}: no dimension {tally.has}")
        if tally.odd is not None and tally.odd not in {o.name for o in self.oddities}:
            raise ValueError(f"{where}: no oddity {tally.odd}")
        for name, wanted in tally.where.items():
            known = next((d.values for d in self.dimensions if d.name == name), None)
            if known is None:
                raise ValueError(f"{where}: no dimension {name}")
            if strange := set(wanted) - set(known):
                raise ValueError(f"{where}: {name} is never {', '.join(sorted(strange))}")

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """Dimensions, in column order."""
        return tuple(d.name for d in self.dimensions)

    @property
    def measure_names(self) -> tuple[str, ...]:
        """Measures, in column order."""
        return tuple(m.name for m in self.measures)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Dimensions that are hashed on their way in."""
        return tuple(d.name for d in self.dimensions if d.secret)
