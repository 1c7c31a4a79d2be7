"""The declaration model: what a stream file may say. Data only; engines elsewhere read it."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from catalog.base import (
    ENGINEERING,
    Floats,
    Frozen,
    Name,
    Severity,
    Source,
    Span,
    Text,
    text,
)
from catalog.conditions import Schedule, Sun
from catalog.corroboration import Corroboration
from catalog.forecast import Forecast
from catalog.joint import JointRule
from catalog.metrics import FlatLine, Metric, Rate, boolean, counter, state
from catalog.moving import Position, coordinates
from catalog.places import Placement
from catalog.rules import (
    STREAM_SUBJECT,
    AbsenceRule,
    Flap,
    HealthRule,
    JudgingAbsenceRule,
    LogRule,
    OverdueRule,
    PipelineAbsenceRule,
    Rule,
    StreamAbsenceRule,
    ThresholdRule,
    UnusualRule,
    WatchRule,
)
from catalog.rules import AnyRule as SingleRule
from catalog.thresholds import SensorAttribute, Threshold, levels

AnyRule = SingleRule | JointRule
"""A rule of a stream, of a group, of the platform, or of a record's clock."""

__all__ = [
    "ENGINEERING",
    "STREAM_SUBJECT",
    "AbsenceRule",
    "AnyRule",
    "Attribute",
    "Corroboration",
    "Derived",
    "DerivedFunction",
    "Flap",
    "FlatLine",
    "Floats",
    "Forecast",
    "Frozen",
    "HealthRule",
    "JointRule",
    "JudgingAbsenceRule",
    "LogRule",
    "Metric",
    "Name",
    "OverdueRule",
    "Panel",
    "PipelineAbsenceRule",
    "Placement",
    "Position",
    "Rate",
    "Relation",
    "Rolling",
    "Rule",
    "Schedule",
    "SensorAttribute",
    "Severity",
    "SmartDataModel",
    "Source",
    "Span",
    "Stream",
    "StreamAbsenceRule",
    "Sun",
    "Text",
    "Threshold",
    "ThresholdRule",
    "UnusualRule",
    "WatchRule",
    "boolean",
    "coordinates",
    "counter",
    "levels",
    "state",
    "text",
]


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
    names: tuple[Text, ...] = ()
    """What people call the values 1, 2, 3 …, such as the classes of water."""
    typical: Span = (0.0, 1.0)
    source: Source = ENGINEERING


class Rolling(Frozen):
    """A quantity per sensor over the last ``window_s`` of event time, from buckets of ``bucket_s``.

    Each bucket makes one number of its good values and the window one of its buckets:

    | kind | bucket | window |
    |---|---|---|
    | ``mean``, ``sum``, ``max``, ``min`` | the same | the same |
    | ``level`` | mean energy of decibels | mean energy, as decibels |
    | ``change`` | mean | newest bucket less oldest one |

    ``each`` replaces what a bucket makes (the lowest of three daily highs: ``min`` of ``max``).
    The window ends with the reading's own bucket; buckets begin at local midnight. A bucket counts
    when it holds a good value, with ``full`` when it holds that share of the readings its sensor
    sends in ``bucket_s``. The quantity is NaN while fewer than ``min_buckets`` count; with ``full``
    a sensor that reports less often than once a bucket needs as many fewer of them. What is not
    ``kept`` is a step towards other quantities: in no window, table, rule or chart.
    """

    name: Name
    of: Name
    kind: Literal["mean", "sum", "max", "min", "level", "change"]
    each: Literal["max", "min"] | None = None
    unit: str
    title: Text
    decimals: int = 1
    window_s: int
    bucket_s: int
    min_buckets: int = 1
    full: float = 0.0
    kept: bool = True
    source: Source = ENGINEERING

    @property
    def buckets(self) -> int:
        """Buckets of one window."""
        return self.window_s // self.bucket_s


QUALITY_TESTS = ("gross", "spike", "rate", "flat", "late", "missing")
"""Names of the tests that quality control makes itself; a relation stands beside them."""

RelationFunction = Callable[[Mapping[str, Floats]], NDArray[np.bool_]]


class Relation(Frozen):
    """A law between metrics of one reading; where it is broken, ``marks`` are flagged.

    ``broken(columns)`` is elementwise and pure, on columns named in ``of``: metrics, and attributes
    of the sensor. NaN (missing, flagged already, no such attribute) breaks nothing. The name stands
    as the test in quality flags; ``flag`` is 3 (suspect) or 4 (fail).
    """

    name: Name
    title: Text
    of: tuple[Name, ...]
    marks: tuple[Name, ...]
    broken: RelationFunction
    flag: Literal[3, 4] = 3
    source: Source = ENGINEERING


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


class Panel(Frozen):
    """A chart that replaces the default one for these metrics on the stream's dashboard."""

    title: Text
    metrics: tuple[Name, ...]
    kind: Literal["timeseries", "stat", "bars"] = "timeseries"


class HourlyAmount(Frozen):
    """What fell, passed or was used within the last hour: the sum of a metric's good values."""

    metric: Name
    title: Text


Quantity = Metric | Rate | Rolling | Derived


class Stream(Frozen):
    """Everything the platform knows about one kind of sensor."""

    name: Name
    domain: Name
    title: Text
    version: int = 1
    earlier: dict[int, tuple[str, ...]] = Field(default_factory=dict)
    """Metrics of the versions before this one whose frames are still taken, in column order: a
    metric they lack is missing, one that is not declared any more is left out."""
    cadence_s: int = Field(gt=0)
    lateness_s: int = Field(ge=0)
    metrics: tuple[Metric, ...] = Field(min_length=1)
    rates: tuple[Rate, ...] = ()
    """How fast its counters rise."""
    rolling: tuple[Rolling, ...] = ()
    derived: tuple[Derived, ...] = ()
    relations: tuple[Relation, ...] = ()
    rules: tuple[Rule, ...]
    attributes: tuple[Attribute, ...] = ()
    placement: Placement
    smart_data_model: SmartDataModel | None = None
    panels: tuple[Panel, ...] = ()
    headline: Name
    """The metric or derived metric that stands for the stream on the wall."""
    overall: Literal["mean", "sum", "min", "max", "margin"] = "mean"
    """How sensors make one number for the city; ``margin``: worst above the sensor's own limit."""
    forecast: tuple[Forecast, ...] = ()
    """What of it is forecast (room ``forecasts``)."""
    position: Position | None = None
    """Its subjects move: where one was is in each reading."""
    hourly: HourlyAmount | None = None
    """An amount that takes the headline's place on the wall while there is any, such as rain."""

    @model_validator(mode="after")
    def _names_resolve(self) -> "Stream":
        known = [m.name for m in self.metrics]
        sources = [(r.name, (r.of,)) for r in self.rates]
        sources += [(r.name, (r.of,)) for r in self.rolling]
        sources += [(d.name, d.of) for d in self.derived]
        for name, needs in sources:
            missing = [n for n in needs if n not in known]
            if missing:
                raise ValueError(f"{self.name}.{name}: unknown inputs {missing}")
            known.append(name)
        self._kinds_fit()
        self._names_are_single(known)
        for rule in self.rules:
            if rule.kind == "threshold" and rule.metric not in self.aggregate_names:
                raise ValueError(f"{self.name}.{rule.name}: unknown metric {rule.metric}")
            if rule.kind == "unusual" and rule.metric not in self.metric_names:
                raise ValueError(f"{self.name}.{rule.name}: {rule.metric} is not measured")
        self._relations_resolve()
        if self.position:
            self._position_is_measured(self.position)
        for forecast in self.forecast:
            if unknown := {forecast.of, *forecast.with_} - {*self.aggregate_names}:
                raise ValueError(f"{self.name}: forecast of unknown metrics {sorted(unknown)}")
        if later := [version for version in self.earlier if not 0 < version < self.version]:
            raise ValueError(f"{self.name}: versions {later} are not earlier than {self.version}")
        if self.headline not in self.aggregate_names:
            raise ValueError(f"{self.name}: headline {self.headline} is no metric")
        if self.hourly and self.hourly.metric not in self.metric_names:
            raise ValueError(f"{self.name}: hourly amount {self.hourly.metric} is no metric")
        return self

    def _names_are_single(self, quantities: list[str]) -> None:
        """Refuse two of one name: an id would stand for both, and the later one would win."""
        groups: dict[str, list[str]] = {
            "metric": quantities,
            "rule": [rule.name for rule in self.rules],
            "unusual rule on": [r.upon for r in self.rules if isinstance(r, UnusualRule)],
            "relation": [*QUALITY_TESTS, *(relation.name for relation in self.relations)],
            "attribute": [attribute.name for attribute in self.attributes],
            "station": [station.id for station in self.placement.stations],
            "forecast": [forecast.of for forecast in self.forecast],
            "panel": [panel.title.zh for panel in self.panels],
        }
        for kind, names in groups.items():
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise ValueError(f"{self.name}: {kind} {', '.join(twice)} is declared twice")

    def _kinds_fit(self) -> None:
        """Refuse what has no meaning for a boolean, a state or a counter."""
        kinds = {m.name: m for m in self.metrics if m.kind != "number"}
        for rate in self.rates:
            if rate.of not in kinds or kinds[rate.of].kind != "counter":
                raise ValueError(f"{self.name}.{rate.name}: {rate.of} is no counter")
        for rolling in self.rolling:
            if rolling.of in kinds and kinds[rolling.of].kind != "boolean":
                kind = kinds[rolling.of].kind
                raise ValueError(f"{self.name}.{rolling.name}: nothing is rolled of a {kind}")
        for rule in self.rules:
            if isinstance(rule, UnusualRule) and rule.metric in kinds:
                kind = kinds[rule.metric].kind
                raise ValueError(f"{self.name}.{rule.name}: no {kind} is unusual")
            if isinstance(rule, ThresholdRule):
                self._compares(rule, kinds.get(rule.metric))
        if of := {f.of for f in self.forecast} & {*kinds}:
            raise ValueError(f"{self.name}: no forecast of {sorted(of)}, which is no number")

    def _compares(self, rule: ThresholdRule, metric: Metric | None) -> None:
        named = metric.codes.values() if metric and metric.is_named else None
        where = f"{self.name}.{rule.name}"
        if (rule.op == "==") != (named is not None):
            raise ValueError(f"{where}: a boolean or a state is compared by ==, nothing else is")
        if named is None:
            return
        if rule.deadband or rule.decimals is not None:
            raise ValueError(f"{where}: a named value has no deadband and no decimals")
        for limit in rule.thresholds:
            if isinstance(limit.value, SensorAttribute) or limit.value not in named:
                raise ValueError(f"{where}: {limit.value} is no value of {rule.metric}")

    def _position_is_measured(self, position: Position) -> None:
        watched = {r.metric for r in self.rules if isinstance(r, ThresholdRule | UnusualRule)}
        for name, most in ((position.lon, 180), (position.lat, 90)):
            metric = self.metric(name)
            if metric is None or metric.kind != "number":
                raise ValueError(f"{self.name}: position {name} is no measured number")
            if max(map(abs, metric.fail_span)) > most:
                raise ValueError(f"{self.name}: {name} lies within ±{most} degrees")
            if self.headline == name or name in watched:
                raise ValueError(f"{self.name}: {name} is a place, no quantity with limits")

    def _relations_resolve(self) -> None:
        attributes = {a.name for a in self.attributes}
        for relation in self.relations:
            unknown = {*relation.of} - {*self.metric_names} - attributes
            unknown |= {*relation.marks} - {*self.metric_names}
            if unknown:
                raise ValueError(f"{self.name}.{relation.name}: unknown inputs {sorted(unknown)}")

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Measured metrics, in column order: what a reading carries."""
        return tuple(m.name for m in self.metrics)

    @property
    def aggregate_names(self) -> tuple[str, ...]:
        """Measured metrics, rates, rolling and derived ones: what windows and rules see."""
        rolling = [r.name for r in self.rolling if r.kept]
        rates = (r.name for r in self.rates)
        return (*self.metric_names, *rates, *rolling, *(d.name for d in self.derived))

    @property
    def charted_names(self) -> tuple[str, ...]:
        """What windows see, but for the place of a subject that moves: that is for maps."""
        place = (self.position.lon, self.position.lat) if self.position else ()
        return tuple(name for name in self.aggregate_names if name not in place)

    def metric(self, name: str) -> Metric | None:
        """Return the declaration of a measured metric; None if there is none of this name."""
        return next((metric for metric in self.metrics if metric.name == name), None)

    def quantity(self, name: str) -> Quantity:
        """Return the declaration of a metric, rate, rolling or derived metric; KeyError if none."""
        for item in (*self.metrics, *self.rates, *self.rolling, *self.derived):
            if item.name == name:
                return item
        raise KeyError(f"{self.name} has no metric {name!r}")

    def value_names(self, name: str) -> dict[float, Text]:
        """Return what people call the values of a quantity; empty for one of plain numbers."""
        item = self.quantity(name)
        if isinstance(item, Metric):
            return dict(zip(item.codes.values(), item.values.values(), strict=True))
        names = item.names if isinstance(item, Derived) else ()
        return {float(n): one for n, one in enumerate(names, 1)}

    def reach_s(self, name: str) -> int:
        """Return how far a quantity looks back, its newest bucket left out; 0 if measured."""
        item = self.quantity(name)
        return item.window_s - item.bucket_s if isinstance(item, Rolling) else 0

    def rule_id(self, rule: AnyRule) -> str:
        """Return the rule's identifier across the platform: ``<stream>.<rule>``."""
        return f"{self.name}.{rule.name}"
