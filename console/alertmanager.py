"""Alertmanager's API v2 data model over our alerts and silences (its OpenAPI definition 0.0.1)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prometheus_client import REGISTRY
from psycopg import Connection
from pydantic import BaseModel, Field

from alerts.episode.models import Alert
from alerts.episode.queries import active_alerts
from alerts.event.fields import Moment
from alerts.event.labels import Matcher
from alerts.event.patterns import Pattern
from alerts.routing.silences import Silence, SilenceDraft, silences_at
from console.problems import Problem

MOST = 50_000
OPEN_FOR = timedelta(minutes=5)
"""An open alert's ``endsAt``: the moment it would be over if it were not said again."""
OPERATORS = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
FLAGS = {op: {"isEqual": eq, "isRegex": rx} for (eq, rx), op in OPERATORS.items()}
Found = dict[str, Any]


class PostedMatcher(BaseModel):
    """A matcher as amtool and Grafana send it."""

    name: str
    value: str
    is_regex: bool = Field(alias="isRegex")
    is_equal: bool = Field(default=True, alias="isEqual")

    def ours(self) -> Matcher:
        """Return it in our form."""
        op = OPERATORS[self.is_equal, self.is_regex]
        return Matcher.model_validate({"name": self.name, "op": op, "value": self.value})


class PostedSilence(BaseModel):
    """A silence as amtool and Grafana send it; with ``id`` it takes the place of that one."""

    id: str = ""
    matchers: list[PostedMatcher]
    starts_at: Moment = Field(alias="startsAt")
    ends_at: Moment = Field(alias="endsAt")
    created_by: str = Field(alias="createdBy")
    comment: str

    def ours(self) -> SilenceDraft:
        """Return it in our form."""
        return SilenceDraft(
            matchers=[m.ours() for m in self.matchers],
            reason=self.comment,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


def public_id(silence: int) -> str:
    """Return the UUID form of a silence's number."""
    return str(UUID(int=silence))


def number_of(public: str) -> int:
    """Return the number behind a UUID, or the number itself; ``Problem`` 404 for anything else."""
    try:
        number = int(public) if public.isdigit() else UUID(public).int
    except ValueError:
        number = 0
    if not 0 < number < 2**63:
        raise Problem(404, "not found", f"no silence {public}", "not_found")
    return number


def gettable_silence(silence: Silence, now: datetime) -> Found:
    """Return a silence in their form."""
    return {
        "id": public_id(silence.id),
        "status": {"state": silence.state(now)},
        "updatedAt": _time(silence.updated_at),
        "comment": silence.reason,
        "createdBy": silence.author,
        "startsAt": _time(silence.starts_at),
        "endsAt": _time(silence.ends_at),
        "matchers": [{"name": m.name, "value": m.value} | FLAGS[m.op] for m in silence.matchers],
    }


def gettable_alerts(conn: Connection, matchers: Sequence[Matcher], now: datetime) -> list[Found]:
    """Return the firing alerts that fit all matchers, in their form."""
    silences = silences_at(conn, now)
    told = _names(
        conn, "SELECT t.subject, r.name FROM told t JOIN receivers r ON r.id = t.receiver"
    )
    held = _names(conn, "SELECT h.subject, h.reason FROM held h")
    return [
        _gettable(alert, silences, told.get(alert.id, []), held.get(alert.id, []), now)
        for alert in active_alerts(conn, MOST)
        if alert.status == "active" and all(m.matches(alert.all_labels) for m in matchers)
    ]


def selected(alerts: list[Found], kinds: dict[str, bool], receiver: Pattern | None) -> list[Found]:
    """Leave out the kinds (active, silenced, inhibited) not wanted, and other receivers' alerts."""

    def wanted(alert: Found) -> bool:
        status = alert["status"]
        kind = "inhibited" if status["inhibitedBy"] else "active"
        kind = "silenced" if status["silencedBy"] else kind
        names = [r["name"] for r in alert["receivers"]]
        return kinds[kind] and (receiver is None or any(receiver.covers(n) for n in names))

    return [a for a in alerts if wanted(a)]


def started() -> str:
    """Return when this process began."""
    seconds = REGISTRY.get_sample_value("process_start_time_seconds") or 0.0
    return _time(datetime.fromtimestamp(seconds, UTC))


def grouped(alerts: list[Found]) -> list[Found]:
    """Return the alerts by receiver and alert name."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for alert in alerts:
        for receiver in [r["name"] for r in alert["receivers"]] or [""]:
            groups.setdefault((receiver, alert["labels"]["alertname"]), []).append(alert)
    return [
        {"labels": {"alertname": name}, "receiver": {"name": receiver}, "alerts": members}
        for (receiver, name), members in sorted(groups.items())
    ]


def _gettable(
    alert: Alert, silences: list[Silence], told: list[str], held: list[str], now: datetime
) -> Found:
    labels = {k: v for k, v in alert.all_labels.items() if v}
    by = [public_id(s.id) for s in silences if s.hides(alert.all_labels)]
    folded = sorted({r.removeprefix("part of ") for r in held if r.startswith("part of ")})
    zh, en = alert.titles
    value = {} if alert.value is None else {"value": f"{alert.value:g} {alert.unit}".strip()}
    return {
        "labels": labels,
        "annotations": {"summary": f"{zh} {en}".strip()} | value | alert.annotations,
        "startsAt": _time(alert.raised_at),
        "endsAt": _time(now + OPEN_FOR),
        "updatedAt": _time(alert.changed_at),
        "fingerprint": alert.id[:16],
        "receivers": [{"name": name} for name in told],
        "status": {
            "state": "suppressed" if by or folded else "active",
            "silencedBy": by,
            "inhibitedBy": folded,
            "mutedBy": [],
        },
        "generatorURL": alert.annotations.get("source", ""),
    }


def _names(conn: Connection, query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for subject, name in conn.execute(query.encode()):
        found.setdefault(subject, []).append(name)
    return found


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
