"""KPIs over records: a share, or a mean time, of what falls into a period; scores made of them.

A count by ``due`` takes the rounds of a clock whose *deadline* falls into the period, done or not:
counting what was closed instead would hide the overdue of a month's last days.
"""

from typing import Literal

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Text


class Condition(Frozen):
    """One thing that must hold for a record to be counted; exactly one of them is said.

    ``moved``/``not_moved``: a move was made (and not taken back); ``stopped``: the clock has come
    to an end, ``in_time``: by its deadline (where the count is of this clock's deadlines, the same
    round of it, else the first);
    ``field`` + ``values``: a field holds one of these; ``states``: it is in one of these now.
    """

    moved: str = ""
    not_moved: str = ""
    stopped: str = ""
    in_time: str = ""
    field: str = ""
    values: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Condition":
        named = (self.moved, self.not_moved, self.stopped, self.in_time, self.field, self.states)
        said = [bool(one) for one in named]
        if sum(said) != 1 or bool(self.field) != bool(self.values):
            raise ValueError("a condition says one thing (field comes with values)")
        return self


class Count(Frozen):
    """Records of which something falls into the period: opened, a move made first, a deadline."""

    when: Literal["opened", "moved", "due"]
    name: str = ""
    """The move or the clock."""
    only: tuple[Condition, ...] = ()


class Kpi(Frozen):
    """A share: of the records of ``of``, those that meet all of ``share``.

    The numerator is part of the denominator, so that each share opens the records it counts.
    """

    name: Name
    title: Text
    of: Count
    share: tuple[Condition, ...] = Field(min_length=1)
    target: float | None = Field(default=None, ge=0, le=1)
    better: Literal["more", "less"] = "more"
    source: str = ""

    def reached(self, value: float | None) -> bool | None:
        """Tell whether a share reaches the target; None without a value or a target."""
        if value is None or self.target is None:
            return None
        return value >= self.target if self.better == "more" else value <= self.target


class Term(Frozen):
    """A weight on a share of another KPI; ``rest`` weighs 1 − share."""

    kpi: Name
    weight: float = Field(gt=0)
    rest: bool = False


class Score(Frozen):
    """A sum of weighted shares, e.g. of a department; absent when any of its shares is."""

    name: Name
    title: Text
    terms: tuple[Term, ...] = Field(min_length=1)
    target: float | None = None
    source: str = ""

    def reached(self, value: float | None) -> bool | None:
        """Tell whether points reach the target; None without a value or a target."""
        return None if value is None or self.target is None else value >= self.target
