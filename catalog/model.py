"""The declaration model: what a stream file may say. Data only; engines elsewhere read it."""

from collections.abc import Callable, Mapping
from datetime import date
from enum import IntEnum
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.float64]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Span = tuple[float, float]


class Frozen(BaseModel):
    """Base of all declarations: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Text(Frozen):
    """One label in both languages of the platform."""

    zh: str
    en: str


def text(zh: str, en: str) -> Text:
    """Return one label in both languages."""
    return Text(zh=zh, en=en)


class Severity(IntEnum):
    """Four warning levels of the Emergency Response Law of the PRC, art. 42; I is the highest."""

    RED = 1
    ORANGE = 2
    YELLOW = 3
    BLUE = 4


class Domain(Frozen):
    """A field of city operation that owns streams."""

    name: Name
    title: Text
    icon: str


class Source(Frozen):
    """Where a number comes from: a standard with its clause, or ``engineering``.

    ``verified`` is true only when the number was read in the official text or a cited copy.
    """

    standard: str
    clause: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    verified: bool = False


ENGINEERING = Source(standard="engineering")


class FlatLine(Frozen):
    """Stuck-sensor limits: seconds without a change larger than ``tolerance`` (metric's unit)."""

    suspect_s: float
    fail_s: float
    tolerance: float = 0.0
    ignore_zero: bool = False


class Metric(Frozen):
    """One measured quantity of a stream, with its QARTOD-style quality limits.

    Spans are in ``unit``; ``spike`` is (suspect, fail) in ``unit``; ``rate_per_min`` is the largest
    plausible absolute change per minute. ``typical`` feeds the default simulator.
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


DerivedFunction = Callable[[Mapping[str, Floats], NDArray[np.int64]], Floats]


class Derived(Frozen):
    """A metric computed per reading from others by a published formula.

    ``by(columns, observed_at_us)`` is elementwise and pure: float64 columns named in ``of``
    (metrics, rolling or earlier derived ones; NaN = missing) to one float64 column.
    """

    name: Name
    unit: str
    title: Text
    decimals: int = 0
    of: tuple[str, ...]
    by: DerivedFunction
    typical: Span = (0.0, 1.0)
    source: Source = ENGINEERING


class Rolling(Frozen):
    """A sliding sum or mean per sensor over event time, built from buckets of ``bucket_s``.

    The value at a reading covers the ``window_s`` that end at that reading's bucket; it is NaN
    while fewer than ``min_buckets`` buckets hold a good value. A bucket's mean is the mean of its
    good values (``mean``), its sum their sum (``sum``).
    """

    name: Name
    of: Name
    kind: Literal["mean", "sum", "max"]
    unit: str
    title: Text
    decimals: int = 1
    window_s: int
    bucket_s: int
    min_buckets: int = 1
    source: Source = ENGINEERING


class SensorAttribute(Frozen):
    """A threshold kept on the sensor itself, e.g. the warning level of one gauge (+ ``offset``)."""

    attribute: Name
    offset: float = 0.0


class Threshold(Frozen):
    """One severity's limit. ``hours`` limits it to local hours [from, to), wrapping at midnight."""

    severity: Severity
    value: float | SensorAttribute
    hours: tuple[int, int] | None = None
    source: Source = ENGINEERING


def levels(
    source: Source = ENGINEERING,
    hours: tuple[int, int] | None = None,
    **values: "float | SensorAttribute",
) -> tuple[Threshold, ...]:
    """Return thresholds by colour: ``levels(source, blue=101, yellow=151, red=301)``."""
    return tuple(
        Threshold(severity=Severity[colour.upper()], value=value, hours=hours, source=source)
        for colour, value in values.items()
    )


class Flap(Frozen):
    """Flag a subject whose rule is raised or changes level ``changes`` times within the window."""

    changes: int = Field(default=6, ge=2)
    window_s: float = 1800.0


class ThresholdRule(Frozen):
    """Raise when ``metric op value`` holds for ``for_s``; clear past the deadband for ``clear_s``.

    ``deadband`` is in the metric's unit: with ``>=`` a level clears below ``value - deadband``.
    Durations are event-time seconds between readings of the same sensor.
    """

    kind: Literal["threshold"] = "threshold"
    name: Name
    title: Text
    metric: Name
    op: Literal[">", ">=", "<", "<="]
    thresholds: tuple[Threshold, ...]
    deadband: float = 0.0
    for_s: float = 0.0
    clear_s: float = 0.0
    latch: bool = False
    """Keep the alert on the list after it cleared, until somebody acknowledges it."""
    flap: Flap = Flap()
    advice: Text


class AbsenceRule(Frozen):
    """Raise when a sensor has sent nothing for ``after_s`` seconds of platform time (ticks)."""

    kind: Literal["absence"] = "absence"
    name: Name = "silent"
    title: Text = Text(zh="传感器静默", en="Sensor silent")
    after_s: int
    severity: Severity = Severity.BLUE
    latch: bool = False
    flap: Flap = Flap()
    advice: Text = Text(zh="检查供电与通信链路", en="Check power and the communication link")


Rule = Annotated[ThresholdRule | AbsenceRule, Field(discriminator="kind")]


class Attribute(Frozen):
    """A fixed property that each sensor of the stream may carry."""

    name: Name
    unit: str
    title: Text


class SmartDataModel(Frozen):
    """Map to a FIWARE Smart Data Model: our metric name -> the model's property path."""

    model: str
    version: str
    fields: dict[str, str]


class Site(Frozen):
    """A sensor's place, given by hand. ``parent`` names what feeds it (topology)."""

    id: str
    title: Text
    lon: float
    lat: float
    district: str
    street: str = ""
    attributes: dict[str, float] = {}
    parent: str | None = None


class Placement(Frozen):
    """Where the stream's sensors stand: ``sites`` by hand, plus ``per_district`` generated ones.

    Generated ones carry ``attributes`` and stand in the listed districts (all when empty). With
    ``parent_stream`` each is fed by that stream's first sensor of the same district.
    """

    sites: tuple[Site, ...] = ()
    per_district: int = 0
    districts: tuple[str, ...] = ()
    attributes: dict[str, float] = {}
    parent_stream: Name | None = None


class Panel(Frozen):
    """A chart that replaces the default one for these metrics on the stream's dashboard."""

    title: Text
    metrics: tuple[Name, ...]
    kind: Literal["timeseries", "stat", "bars"] = "timeseries"


class Stream(Frozen):
    """Everything the platform knows about one kind of sensor."""

    name: Name
    domain: Name
    title: Text
    version: int = 1
    cadence_s: int
    lateness_s: int
    metrics: tuple[Metric, ...]
    rolling: tuple[Rolling, ...] = ()
    derived: tuple[Derived, ...] = ()
    rules: tuple[Rule, ...]
    attributes: tuple[Attribute, ...] = ()
    placement: Placement
    smart_data_model: SmartDataModel | None = None
    panels: tuple[Panel, ...] = ()
    headline: Name
    """The metric or derived metric that stands for the stream on the wall."""
    overall: Literal["mean", "sum", "min", "max", "margin"] = "mean"
    """How sensors make one number for the city; ``margin``: worst above the sensor's own limit."""

    @model_validator(mode="after")
    def _names_resolve(self) -> "Stream":
        known = [m.name for m in self.metrics]
        sources = [(r.name, (r.of,)) for r in self.rolling]
        sources += [(d.name, d.of) for d in self.derived]
        for name, needs in sources:
            missing = [n for n in needs if n not in known]
            if missing:
                raise ValueError(f"{self.name}.{name}: unknown inputs {missing}")
            known.append(name)
        if len(set(known)) != len(known):
            raise ValueError(f"{self.name}: a metric name appears twice")
        for rule in self.rules:
            if rule.kind == "threshold" and rule.metric not in known:
                raise ValueError(f"{self.name}.{rule.name}: unknown metric {rule.metric}")
        if self.headline not in known:
            raise ValueError(f"{self.name}: headline {self.headline} is no metric")
        return self

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Measured metrics, in column order: what a reading carries."""
        return tuple(m.name for m in self.metrics)

    @property
    def aggregate_names(self) -> tuple[str, ...]:
        """Measured, then rolling, then derived metrics: what windows and rules see."""
        return self.metric_names + tuple(x.name for x in (*self.rolling, *self.derived))

    def quantity(self, name: str) -> Metric | Rolling | Derived:
        """Return the declaration of a metric, rolling or derived metric; KeyError if none."""
        for item in (*self.metrics, *self.rolling, *self.derived):
            if item.name == name:
                return item
        raise KeyError(f"{self.name} has no metric {name!r}")

    def rule_id(self, rule: "ThresholdRule | AbsenceRule") -> str:
        """Return the rule's identifier across the platform: ``<stream>.<rule>``."""
        return f"{self.name}.{rule.name}"


class District(Frozen):
    """A county-level division by GB/T 2260, with its seat (WGS-84 degrees) and population."""

    code: str
    title: Text
    lon: float
    lat: float
    population: int
    streets: tuple[str, ...] = ()


class Sensor(Frozen):
    """One device: identity, place (市-区县-街道), fixed attributes and what feeds it."""

    id: str
    stream: Name
    title: Text
    lon: float
    lat: float
    city: str = "510100"
    district: str
    street: str
    attributes: dict[str, float] = {}
    parent: str | None = None
