"""One local day of the city, as the report shows it; read from schema ``dash`` only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from catalog.model import Severity
from catalog.registry import systems
from catalog.site import zone
from catalog.system import System
from dashboards.looks import Steps
from dashboards.texts import Lang
from dashboards.wall import Vital, wall_rows

STEP = timedelta(minutes=15)
HOUR = timedelta(hours=1)
MOST_ALERTS = 1000
"""As many as ``dash.alert_history`` gives; the figures above the list count all of them."""
Row = dict[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Span:
    """A local day: where it begins and ends."""

    date: date

    @property
    def start(self) -> datetime:
        """Midnight at which the day begins."""
        return datetime.combine(self.date, time(), zone())

    @property
    def end(self) -> datetime:
        """Midnight at which it ends."""
        return datetime.combine(self.date + timedelta(days=1), time(), zone())

    @property
    def before(self) -> "Span":
        """The day before."""
        return Span(self.date - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class VitalDay:
    """One vital sign over the day; ``points``: (hours since midnight, value)."""

    domain: System
    vital: Vital
    points: list[Point]
    mean_before: float | None
    alerts: Counter[Severity]

    @property
    def values(self) -> list[float]:
        """Values of the day."""
        return [value for _, value in self.points]

    @property
    def mean(self) -> float | None:
        """Mean of the day; None without data."""
        return sum(self.values) / len(self.values) if self.values else None

    @property
    def limits(self) -> Steps:
        """Limits in force, as steps."""
        return self.vital.limits


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that the page tells; ``until``: its end, or now while it is not over."""

    span: Span
    until: datetime
    lang: Lang
    vitals: list[VitalDay]
    figures: Row
    by_hour: dict[Severity, list[int]]
    alerts: list[Row]
    still_open: int
    incidents: list[Row]
    completeness: list[Row]
    flags: list[tuple[str, int]]
    letters: list[Row]
    receivers: list[Row]
    forecasts: list[Row]
    warnings: Row
    made_at: datetime = field(default_factory=lambda: datetime.now(zone()))

    @property
    def hours(self) -> float:
        """Hours that the day has had."""
        return (self.until - self.span.start) / HOUR

    @property
    def is_over(self) -> bool:
        """Whether the whole day is behind us."""
        return self.until >= self.span.end

    @property
    def is_empty(self) -> bool:
        """Whether not one reading of the day is there."""
        return not any(row["received"] for row in self.completeness)

    @property
    def raised(self) -> int:
        """Number of alerts raised."""
        return int(self.figures["raised"])

    @property
    def peak(self) -> Severity | None:
        """Highest level of the day."""
        levels = [severity for severity, counts in self.by_hour.items() if any(counts)]
        return min(levels, default=None)

    @property
    def complete_pct(self) -> float | None:
        """Readings received of those expected, over all streams."""
        expected = sum(row["expected"] for row in self.completeness)
        received = sum(min(row["received"], row["expected"]) for row in self.completeness)
        return 100 * received / expected if expected else None


def read_day(conn: Connection, day: date, lang: Lang, now: datetime | None = None) -> Day:
    """Return the report of a local day, as far as it has come by ``now``.

    ``conn`` may be any role that reads schema ``dash``.
    """
    span = Span(day)
    until = min(span.end, max(span.start, (now or datetime.now(zone())).astimezone(zone())))
    given = [span.start, until]
    history = _rows(conn, f"dash.alert_history(%s, %s, {MOST_ALERTS})", given)
    return Day(
        span=span,
        until=until,
        lang=lang,
        vitals=_vitals(conn, span, until, history),
        figures=_rows(conn, "dash.alert_figures(%s, %s)", given)[0],
        by_hour=_by_hour(conn, span, until),
        alerts=sorted(history, key=lambda row: (row["peak_severity"], -row["lasted_s"])),
        still_open=sum(row["cleared_at"] is None for row in history),
        incidents=_rows(conn, "dash.incidents(%s, %s)", given),
        completeness=_rows(conn, "dash.completeness(%s, %s)", given),
        flags=_flags(conn, given),
        letters=_rows(conn, "dash.dead_letters(%s, %s)", given),
        receivers=_rows(conn, "dash.delivery_figures(%s, %s)", given),
        forecasts=_rows(conn, "dash.forecast_day(%s, %s)", given),
        warnings=_rows(conn, "dash.warnings_day(%s, %s)", given)[0],
    )


def _rows(conn: Connection, source: str, given: Iterable[Any]) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM {source}".encode(), list(given)).fetchall()


def _vitals(conn: Connection, span: Span, until: datetime, history: list[Row]) -> list[VitalDay]:
    """Return the vital signs; the day before counts up to the same hour, for a fair change."""
    gone = until - span.start
    today, before = (_trends(conn, one.start, gone) for one in (span, span.before))
    alerts: Mapping[str, Counter[Severity]] = defaultdict(Counter)
    for row in history:
        alerts[row["stream"]][Severity(row["peak_severity"])] += 1
    return [
        VitalDay(
            domain=systems()[vital.stream.domain],
            vital=vital,
            points=today[vital.stream.name],
            mean_before=_mean([value for _, value in before[vital.stream.name]]),
            alerts=alerts[vital.stream.name],
        )
        for line in wall_rows()
        for vital in line.vitals
    ]


def _trends(conn: Connection, start: datetime, length: timedelta) -> Mapping[str, list[Point]]:
    found: Mapping[str, list[Point]] = defaultdict(list)
    given = [start, start + length, STEP]
    for row in _rows(conn, "dash.vital_trend(NULL, %s, %s, %s)", given):
        if row["value"] is not None and row["time"] >= start:
            hours = (row["time"] - start) / HOUR
            found[row["stream"]].append((hours, row["value"]))
    return found


def _by_hour(conn: Connection, span: Span, until: datetime) -> dict[Severity, list[int]]:
    icons = {row["icon"]: Severity(row["severity"]) for row in _rows(conn, "dash.severities", [])}
    found = {severity: [0] * 24 for severity in Severity}
    last = until - timedelta(seconds=1)
    for row in _rows(conn, "dash.alert_counts(%s, %s, %s)", [span.start, last, HOUR]):
        hour = int((row["time"] - span.start) / HOUR)
        found[icons[row["label"].split()[0]]][hour] += row["value"]
    return found


def _flags(conn: Connection, given: list[datetime]) -> list[tuple[str, int]]:
    counted: Counter[str] = Counter()
    for row in _rows(conn, "dash.flag_counts(%s, %s, interval '1 day')", given):
        counted[row["label"]] += row["value"]
    return counted.most_common()


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
