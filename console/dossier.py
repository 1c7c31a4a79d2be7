"""Everything about one alert, asked in one go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

from alerts.delivery.log import Delivery, list_deliveries
from alerts.episode.models import Alert, AlertFilter, AlertPage
from alerts.episode.queries import find_alerts, get_alert
from alerts.incident.queries import Summary, incidents_named
from catalog.model import AnyRule, Stream
from catalog.places import distance_km
from catalog.registry import find_rule, streams
from console import history, registry
from console.duty import People, people
from console.history import Question, Row, Span

AROUND = timedelta(minutes=30)
LONGEST = timedelta(days=2)
NEAR_KM = 10.0
PAST = 10


@dataclass(frozen=True, slots=True)
class Dossier:
    """One alert with its sensor, its metric's course, who was told, what was before, and users."""

    page: AlertPage
    stream: Stream | None
    rule: AnyRule | None
    metric: str | None
    sensor: Row | None
    incidents: list[Summary]
    relatives: list[Row]
    deliveries: list[Delivery]
    past: list[Alert]
    span: Span
    series: list[Row]
    people: People

    @property
    def alert(self) -> Alert:
        """The alert itself."""
        return self.page.alert


def read_dossier(conn: Connection, episode: str, now: datetime) -> Dossier:
    """Return everything about an alert; ``NotFoundError`` when there is none."""
    page = get_alert(conn, episode)
    alert = page.alert
    stream = streams().get(alert.stream)
    metric = alert.metric or (stream.headline if stream else None)
    sensor = registry.sensor(conn, alert.stream, alert.sensor)
    span = shown_span(alert, now)
    same = AlertFilter(state="all", rule=[alert.rule], sensor=alert.sensor, limit=PAST + 1)
    return Dossier(
        page=page,
        stream=stream,
        rule=find_rule(alert.rule),
        metric=metric,
        sensor=sensor,
        incidents=incidents_named(conn, page.incidents),
        relatives=registry.relatives(conn, alert.sensor, sensor["parent"] if sensor else None),
        deliveries=list_deliveries(conn, subject=episode, limit=50),
        past=[other for other in find_alerts(conn, same) if other.id != episode][:PAST],
        span=span,
        series=_series(conn, stream, metric, alert.sensor, span) if stream and metric else [],
        people=people(conn, now),
    )


def shown_span(alert: Alert, now: datetime) -> Span:
    """Return the time of the chart: the alert with what was before and after it."""
    end = min(now, (alert.cleared_at or now) + AROUND)
    return Span(max(alert.raised_at - AROUND, end - LONGEST), end)


def nearby(sensors: list[Row], sensor: Row, *, within_km: float = NEAR_KM) -> list[Row]:
    """Return sensors around one, nearest first, each with ``km``."""
    if sensor["lon"] is None:
        return []
    found = []
    for other in sensors:
        if other["lon"] is None or other["sensor"] == sensor["sensor"]:
            continue
        km = distance_km((sensor["lon"], sensor["lat"]), (other["lon"], other["lat"]))
        if km <= within_km:
            found.append(other | {"km": km})
    return sorted(found, key=lambda row: row["km"])


def _series(conn: Connection, stream: Stream, metric: str, sensor: str, span: Span) -> list[Row]:
    step = max(60, history.fitting_step(span))
    asked = Question(stream=stream, metric=metric, span=span, step_s=step, sensor=sensor)
    return history.series(conn, asked)
