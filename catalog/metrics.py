"""What a sensor measures: numbers, yes or no, a state out of a list, a counter that rises."""

from typing import Literal

from pydantic import Field, model_validator

from catalog.base import ENGINEERING, Frozen, Name, Source, Span, Text, text

NO_YES = (text("否", "no"), text("是", "yes"))


class FlatLine(Frozen):
    """Stuck-sensor limits: seconds without a change larger than ``tolerance`` (metric's unit)."""

    suspect_s: float
    fail_s: float
    tolerance: float = 0.0
    ignore_zero: bool = False


class Metric(Frozen):
    """One measured quantity of a stream, with its QARTOD-style quality limits.

    Spans are in ``unit``. Outside ``fail_span``, the instrument's range, a value is impossible;
    outside ``suspect_span``, or changing faster than ``rate_per_min``, it is of high interest, and
    seen by the rules all the same. ``spike`` is (suspect, fail) in ``unit``: a jump by more than
    the first waits one cadence for the next reading, and is not used where that shows it alone.
    ``typical`` feeds the default simulator. What is no number is made by ``boolean``, ``state`` and
    ``counter``.
    """

    name: Name
    unit: str
    title: Text
    decimals: int = 1
    fail_span: Span
    suspect_span: Span | None = None
    spike: Span | None = None
    rate_per_min: float | None = None
    flat: FlatLine | None = None
    typical: Span
    kind: Literal["number", "boolean", "state", "counter"] = "number"
    values: dict[Name, Text] = Field(default_factory=dict)
    """Names of the values of a boolean (no, yes: 0 and 1) or of a state (1, 2, 3 … in order)."""
    source: Source = ENGINEERING

    @model_validator(mode="after")
    def _spans_nest(self) -> "Metric":
        low, high = self.fail_span
        if low >= high:
            raise ValueError(f"{self.name}: fail_span must rise")
        for span in (self.suspect_span, self.typical):
            if span and not (low <= span[0] <= span[1] <= high):
                raise ValueError(f"{self.name}: {span} must lie inside fail_span")
        return self

    @model_validator(mode="after")
    def _kind_fits(self) -> "Metric":
        if self.kind != "number" and self.spike:
            raise ValueError(f"{self.name}: a {self.kind} has no spikes")
        if self.is_named and self.rate_per_min is not None:
            raise ValueError(f"{self.name}: a {self.kind} has no rate of change")
        if self.is_named != bool(self.values):
            raise ValueError(f"{self.name}: values are named of a boolean or a state, of no other")
        if self.kind == "counter" and (self.rate_per_min is None or self.fail_span[0] != 0):
            raise ValueError(
                f"{self.name}: a counter begins at 0 and says how fast it can rise (rate_per_min)"
            )
        return self

    @property
    def is_named(self) -> bool:
        """Tell whether its values are names, in the frames numbers: a boolean or a state."""
        return self.kind in ("boolean", "state")

    @property
    def codes(self) -> dict[str, float]:
        """Return the number that stands for each name."""
        first = 1 if self.kind == "state" else 0
        return {name: float(n) for n, name in enumerate(self.values, first)}

    def code(self, name: str) -> float:
        """Return the number of a named value, for rules; KeyError for one it has not."""
        return self.codes[name]


def boolean(name: str, title: Text, no: Text = NO_YES[0], yes: Text = NO_YES[1]) -> Metric:
    """Return a metric that is false (0) or true (1), with what people call each."""
    return Metric(
        name=name,
        unit="1",
        title=title,
        decimals=0,
        fail_span=(0, 1),
        typical=(0, 0),
        kind="boolean",
        values={"no": no, "yes": yes},
    )


def state(name: str, title: Text, values: dict[str, Text]) -> Metric:
    """Return a metric that is one of ``values``; the first one is the usual one.

    They are 1, 2, 3 … in frames and tables, so a later version only adds names at the end.
    """
    return Metric(
        name=name,
        unit="1",
        title=title,
        decimals=0,
        fail_span=(1, max(2, len(values))),
        typical=(1, 1),
        kind="state",
        values=values,
    )


def counter(
    name: str,
    unit: str,
    title: Text,
    *,
    rolls_over_at: float,
    rate_per_min: float,
    decimals: int = 0,
) -> Metric:
    """Return a metric that only rises, at most by ``rate_per_min``, until it rolls over to 0.

    A fall is a roll-over where the way round is no longer than the rate allows, else a reset to 0
    where what it shows is; any other fall is doubted and makes no rate.
    """
    return Metric(
        name=name,
        unit=unit,
        title=title,
        decimals=decimals,
        fail_span=(0, rolls_over_at),
        rate_per_min=rate_per_min,
        typical=(0, rolls_over_at),
        kind="counter",
    )


class Rate(Frozen):
    """How fast a counter rises: its increase since the last reading, per ``per_s`` seconds.

    NaN at a sensor's first reading, at one that came late, and where a fall has no explanation.
    After a gap it is the mean over the gap, so that no increase is lost or counted twice.
    """

    name: Name
    of: Name
    per_s: float = Field(gt=0)
    unit: str
    title: Text
    decimals: int = 1
    source: Source = ENGINEERING
