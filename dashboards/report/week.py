"""A week of one kind of record, read through schema ``dash``."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from catalog.lifecycle.kpi import Kpi, Score
from catalog.lifecycle.record import Record
from catalog.site import zone
from dashboards.texts import Lang
from storage.views.kpis import PREFIX

Row = dict[str, Any]
DAYS = 7
LATE = 30
"""Of the overdue so many are listed, what was due first first."""


@dataclass(frozen=True, slots=True)
class Value:
    """A KPI of a week: share (0 to 1) or points, and of how many; None where none counts."""

    kpi: Kpi | Score
    value: float | None
    met: int | None
    counted: int | None
    before: float | None = None
    """The same in the week before."""

    @property
    def reached(self) -> bool | None:
        """Tell whether the target is reached; None without a value or a target."""
        return self.kpi.reached(self.value)


@dataclass(frozen=True, slots=True)
class Group:
    """One district or unit with the KPIs that its score is made of, the score last."""

    title: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """What the sheet tells; ``until`` is earlier than the week's end while it goes on."""

    record: Record
    lang: Lang
    monday: date
    until: datetime
    figures: Row
    kpis: tuple[Value, ...]
    groups: tuple[tuple[str, tuple[Group, ...]], ...]
    """By field, its groups from the best."""
    late: tuple[Row, ...]

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=DAYS - 1)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def read_week(conn: Connection, record: Record, day: date, lang: Lang, now: datetime) -> Week:
    """Return the week of a local day, up to ``now`` while it goes on."""
    monday = monday_of(day)
    begin, end = _midnight(monday), _midnight(monday + timedelta(days=DAYS))
    span, before = (begin, min(end, now)), (_midnight(monday - timedelta(days=DAYS)), begin)
    return Week(
        record=record,
        lang=lang,
        monday=monday,
        until=span[1],
        figures=_rows(conn, "dash.record_figures(%s, %s, %s)", [record.name, *span])[0],
        kpis=_kpis(conn, record, span, before),
        groups=tuple(_groups(conn, record, field, span, lang) for field in grouped_by(record)),
        late=tuple(_rows(conn, f"dash.record_queue(%s, true, %s, {LATE})", [record.name, lang])),
    )


def grouped_by(record: Record) -> list[str]:
    """Return the fields of areas and units: the district, and what a role is held for."""
    place = [] if record.located == "not" else ["district"]
    return [*place, *dict.fromkeys(role.scope for role in record.roles if role.scope)]


def scored(record: Record) -> list[Kpi | Score]:
    """Return the KPIs that stand in a table of groups: parts of a score, and the scores."""
    scores = [k for k in record.kpis if isinstance(k, Score)]
    parts = {term.kpi for score in scores for term in score.terms}
    shares = [k for k in record.kpis if isinstance(k, Kpi) and k.name in parts]
    return [*shares, *scores] or list(record.kpis)


def _kpis(
    conn: Connection,
    record: Record,
    span: tuple[datetime, datetime],
    before: tuple[datetime, datetime],
) -> tuple[Value, ...]:
    now, then = (_values(conn, record, one, "") for one in (span, before))
    return tuple(
        Value(kpi, *now.get((kpi.name, ""), _NOTHING), then.get((kpi.name, ""), _NOTHING)[0])
        for kpi in record.kpis
    )


def _groups(
    conn: Connection, record: Record, field: str, span: tuple[datetime, datetime], lang: Lang
) -> tuple[str, tuple[Group, ...]]:
    values = _values(conn, record, span, field)
    columns = scored(record)
    groups = [
        Group(
            _title(conn, record, field, name, lang),
            tuple(Value(kpi, *values.get((kpi.name, name), _NOTHING)) for kpi in columns),
        )
        for name in sorted({group for _, group in values})
    ]
    best = sorted(groups, key=lambda g: (-_last(g), g.title))
    return field, tuple(best)


def _last(group: Group) -> float:
    value = group.values[-1].value if group.values else None
    return -1.0 if value is None else value


_NOTHING: tuple[float | None, int | None, int | None] = (None, None, None)
_Found = dict[tuple[str, str], tuple[float | None, int | None, int | None]]


def _values(conn: Connection, record: Record, span: tuple[datetime, datetime], by: str) -> _Found:
    if not record.kpis:
        return {}
    query = sql.SQL("SELECT kpi, grouped, value, met, counted FROM {}(%s, %s, %s)").format(
        sql.Identifier("dash", f"{PREFIX}{record.name}")
    )
    return {(row[0], row[1]): row[2:] for row in conn.execute(query, [*span, by]).fetchall()}


def _title(conn: Connection, record: Record, field: str, name: str, lang: Lang) -> str:
    row = conn.execute(
        "SELECT dash.record_group(%s, %s, %s, %s)", [record.name, field, name, lang]
    ).fetchone()
    return row[0] if row else name


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), zone())


def _rows(conn: Connection, source: str, given: list[Any]) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM {source}".encode(), given).fetchall()
