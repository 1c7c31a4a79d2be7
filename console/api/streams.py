"""Streams: what is measured, in which units, and which limits with which standard raise alerts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from psycopg.rows import dict_row
from pydantic import BaseModel

from catalog.conditions import Condition
from catalog.model import (
    HealthRule,
    Metric,
    SensorAttribute,
    Stream,
    Text,
    Threshold,
    ThresholdRule,
)
from catalog.registry import streams, systems
from catalog.rules import UnusualRule
from console.auth import Conn, Viewer
from console.problems import not_found

router = APIRouter(tags=["streams"])


class StreamState(BaseModel):
    """A stream and how alive it is: sensors by freshness, age of the newest reading in seconds."""

    name: str
    domain: str
    title: Text
    cadence_s: int
    lateness_s: int
    headline: str
    sensors: int
    fresh: int
    stale: int
    never: int
    newest_observed_at: datetime | None
    age_s: float | None


class Quantity(BaseModel):
    """One metric: what a reading carries, or what is computed from it."""

    name: str
    kind: Literal["measured", "rate", "rolling", "derived"]
    unit: str
    title: Text
    decimals: int
    fail_span: tuple[float, float] | None
    suspect_span: tuple[float, float] | None
    values: dict[float, Text]
    """Names of the values of a boolean, a state, a class; empty for plain numbers."""
    standard: str
    clause: str


class Limit(BaseModel):
    """One severity's limit, or the sensor attribute that holds it, and where it comes from."""

    severity: int
    value: float | None
    attribute: str | None
    offset: float
    hours: tuple[int, int] | None
    when: Condition | None
    """A schedule, or where the sun stands."""
    standard: str
    clause: str
    verified: bool
    effective_from: date | None
    effective_to: date | None


class RuleDeclared(BaseModel):
    """One rule; ``for_s`` and ``clear_s`` are seconds, ``deadband`` is in the metric's unit.

    With ``decimals`` the value is rounded before it is compared (GB/T 8170).
    """

    id: str
    kind: Literal["threshold", "absence", "stream_absence", "health", "unusual", "joint"]
    title: Text
    metric: str | None
    op: str | None
    decimals: int | None
    deadband: float | None
    for_s: float | None
    clear_s: float | None
    after_s: int | None
    limits: list[Limit]
    advice: Text


class StreamDeclared(BaseModel):
    """The whole declaration of a stream."""

    name: str
    version: int
    domain: str
    domain_title: Text
    title: Text
    cadence_s: int
    lateness_s: int
    headline: str
    metrics: list[Quantity]
    rules: list[RuleDeclared]
    attributes: list[dict[str, Any]]
    smart_data_model: dict[str, Any] | None


def known_stream(
    stream: Annotated[str, Path(examples=["waterlogging"], description="Name of a stream")],
) -> Stream:
    """Return the declared stream of a path; ``Problem`` 404 naming the known ones."""
    found = streams().get(stream)
    if found is None:
        raise not_found(f"no stream {stream!r}; known: {', '.join(streams())}")
    return found


KnownStream = Annotated[Stream, Depends(known_stream)]


@router.get("/streams")
def list_streams(conn: Conn, who: Viewer) -> list[StreamState]:
    """Return every stream with the freshness of its sensors, in the order of the screens."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("SELECT * FROM dash.freshness()").fetchall()
    known = streams()
    return [_state(known[row["stream"]], row) for row in rows if row["stream"] in known]


@router.get("/streams/{stream}")
def get_stream(declared: KnownStream, who: Viewer) -> StreamDeclared:
    """Return a stream's declaration: metrics with units, rules with limits and standards."""
    model = declared.smart_data_model
    return StreamDeclared(
        **_plain(declared, "name", "version", "domain", "title"),
        **_plain(declared, "cadence_s", "lateness_s", "headline"),
        domain_title=systems()[declared.domain].title,
        metrics=[_quantity(declared, name) for name in declared.aggregate_names],
        rules=[_rule(declared, rule) for rule in declared.rules],
        attributes=[a.model_dump() for a in declared.attributes],
        smart_data_model=model.model_dump() if model else None,
    )


def kind_of(declared: Stream, metric: str) -> Literal["measured", "rate", "rolling", "derived"]:
    """Return how a metric comes to be."""
    if metric in declared.metric_names:
        return "measured"
    if metric in {r.name for r in declared.rates}:
        return "rate"
    return "rolling" if metric in {r.name for r in declared.rolling} else "derived"


def _plain(item: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}


def _state(declared: Stream, row: dict[str, Any]) -> StreamState:
    counted = ("sensors", "fresh", "stale", "never", "newest_observed_at", "age_s")
    return StreamState(
        **_plain(declared, "name", "domain", "title", "cadence_s", "lateness_s", "headline"),
        **{name: row[name] for name in counted},
    )


def _quantity(declared: Stream, name: str) -> Quantity:
    item = declared.quantity(name)
    measured = isinstance(item, Metric)
    return Quantity(
        **_plain(item, "name", "unit", "title", "decimals"),
        kind=kind_of(declared, name),
        fail_span=item.fail_span if measured else None,
        suspect_span=item.suspect_span if measured else None,
        values=declared.value_names(name),
        standard=item.source.standard,
        clause=item.source.clause,
    )


def _rule(declared: Stream, rule: Any) -> RuleDeclared:
    common = _plain(rule, "kind", "title", "advice") | {"id": declared.rule_id(rule)}
    timed = ("metric", "op", "decimals", "deadband", "for_s", "clear_s")
    given: dict[str, Any] = {name: getattr(rule, name, None) for name in (*timed, "after_s")}
    if not isinstance(rule, ThresholdRule | UnusualRule):
        seconds = rule.for_s if isinstance(rule, HealthRule) else rule.after_s
        lasting = Limit(
            severity=rule.severity, value=seconds, attribute=None, offset=0, hours=None, when=None,
            standard="engineering", clause="", verified=False,
            effective_from=None, effective_to=None,
        )  # fmt: skip
        return RuleDeclared(**common, **given, limits=[lasting])
    limits = [_limit(limit) for limit in rule.thresholds]
    return RuleDeclared(**common, **given, limits=limits)


def _limit(limit: Threshold) -> Limit:
    own = limit.value if isinstance(limit.value, SensorAttribute) else None
    return Limit(
        severity=limit.severity,
        value=None if isinstance(limit.value, SensorAttribute) else limit.value,
        attribute=own.attribute if own else None,
        offset=own.offset if own else 0.0,
        hours=limit.hours,
        when=limit.when,
        **_plain(limit.source, "standard", "clause", "verified", "effective_from", "effective_to"),
    )
