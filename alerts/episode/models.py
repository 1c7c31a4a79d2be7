"""What is known of alerts, as a console, an API or the command line shows it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerts.event.events import rule_title
from alerts.event.fields import Moment
from alerts.event.labels import Labels, alert_labels
from catalog.registry import find_rule
from catalog.rules import Concern
from catalog.unusual import alert_unit

State = Literal["open", "active", "latched", "cleared", "withdrawn", "all"]


class Alert(BaseModel):
    """One episode; ``raised_at`` and ``cleared_at`` are event time, ``…_recorded_at`` ours."""

    id: str
    rule: str
    stream: str
    sensor: str
    status: Literal["active", "latched", "cleared", "withdrawn"]
    severity: int
    peak_severity: int
    metric: str | None
    value: float | None
    threshold: float | None
    raised_at: datetime
    raised_recorded_at: datetime
    changed_at: datetime
    concern: Concern
    confidence: Literal["confirmed", "unconfirmed"]
    reason: str
    """Tests that doubt the value, that proved it wrong, or why a sensor is silent."""
    cleared_at: datetime | None
    cleared_recorded_at: datetime | None
    flapping: bool
    labels: Labels
    annotations: dict[str, str]
    acked_at: datetime | None
    acked_by: str | None
    ack_note: str | None
    assignee: str | None
    assigned_at: datetime | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelve_reason: str | None
    explanation: dict[str, Any] | None = None
    """Of what is unusual: which signals, how far, since when, similar days before."""

    @property
    def unit(self) -> str:
        """Unit of value and threshold; empty for absence."""
        return alert_unit(self.rule, self.stream, self.metric)

    @property
    def all_labels(self) -> Labels:
        """The labels that routes and silences see."""
        flapping = {"flapping": "true" if self.flapping else "false"}
        ours = alert_labels(self.rule, self.stream, self.sensor, self.severity)
        return ours | self.labels | flapping

    @property
    def titles(self) -> tuple[str, str]:
        """Title in zh and en."""
        if find_rule(self.rule):
            title = rule_title(self.rule, self.peak_severity if self.cleared_at else self.severity)
            return title.zh, title.en
        summary = self.annotations.get("summary", self.rule)
        return summary, summary


class TransitionView(BaseModel):
    """One change by the rule: event time, the worker's time and the time it was recorded."""

    id: str
    kind: Literal["raised", "changed", "confirmed", "withdrawn", "cleared"]
    confidence: Literal["confirmed", "unconfirmed"]
    reason: str
    severity: int
    previous: int | None
    metric: str | None
    value: float | None
    threshold: float | None
    observed_at: datetime
    produced_at: datetime
    recorded_at: datetime


class TransitionRow(TransitionView):
    """A change with the alert it belongs to."""

    episode: str
    rule: str
    stream: str
    sensor: str


class Act(BaseModel):
    """One act of a person."""

    id: int
    at: datetime
    who: str
    act: str
    note: str


class Holding(BaseModel):
    """Why a receiver is not told."""

    receiver: str
    reason: str
    since: datetime


class AlertPage(BaseModel):
    """Everything about one alert."""

    alert: Alert
    transitions: list[TransitionView]
    acts: list[Act]
    held: list[Holding]
    told: list[str]
    incidents: list[str]


Level = Annotated[int, Field(ge=1, le=4)]


class AlertFilter(BaseModel):
    """What to list; an empty list means no condition. ``since`` and ``until`` say when raised.

    ``severity`` is the level now of what is open, and the worst level reached over history.
    """

    model_config = ConfigDict(extra="forbid")

    state: State = "open"
    severity: list[Level] = Field(
        default=[],
        description="1 red … 4 blue: the level now; the peak with `state` cleared or all",
    )
    domain: list[str] = []
    district: list[str] = []
    rule: list[str] = []
    stream: list[str] = []
    sensor: str = ""
    concern: list[Concern] = []
    acknowledged: bool | None = None
    assignee: str = ""
    since: Moment | None = None
    until: Moment | None = None
    limit: int = Field(default=500, ge=1, le=5000)
    offset: int = Field(default=0, ge=0, le=10**9)
