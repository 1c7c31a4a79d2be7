"""Past hours of a group's series, from the rollups: the only thing that forecasts are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection, sql

from catalog.base import Floats
from catalog.site import site, zone
from forecasts.core.panel import Panel
from forecasts.groups import HOUR_S, Group
from forecasts.guidance import ahead
from storage.tables import rollup_table

LEAST_SHARE = 0.5
"""An hour counts with half as many values as the sensor usually sends in one."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class History:
    """The series of a group. Step ``s`` of the panel is the hour that starts at ``begin`` + s h."""

    subjects: tuple[str, ...]
    panel: Panel
    begin: datetime

    def step(self, at: datetime) -> int:
        """Return the step of the hour that starts at ``at``."""
        return round((at - self.begin) / HOUR)


def read(conn: Connection, group: Group, end: datetime, days: int) -> History:
    """Return ``days`` of hours before ``end`` (a whole hour); nothing later is read.

    Beside the values: forecasts of others, as they were known at each hour (`forecasts.guidance`).
    """
    begin = end - timedelta(days=days)
    names = (group.forecast.of, *group.forecast.with_)
    sensors, districts, columns = _rows(conn, group, names, begin, end)
    parts = [_counted(values, used) for values, used in columns]
    subjects, places = tuple(sensors), districts
    if group.level != "sensor":
        subjects, parts = _gathered(group, districts, parts)
        places = list(subjects)
    beside = np.stack(parts[1:], axis=2) if len(parts) > 1 and subjects else None
    offset = begin.astimezone(zone()).utcoffset() or timedelta(0)
    start_s = int(begin.timestamp() + offset.total_seconds())
    said = ahead(conn, group, places, begin, parts[0].shape[1]) if subjects else None
    return History(subjects, Panel(parts[0], HOUR_S, start_s, beside, said), begin)


def _rows(
    conn: Connection, group: Group, names: tuple[str, ...], begin: datetime, end: datetime
) -> tuple[list[str], list[str], list[tuple[Floats, Floats]]]:
    """Return sensors, their districts, and per quantity means and counts ``[sensors, hours]``."""
    known = conn.execute(
        "SELECT sensor, district FROM sensors WHERE stream = %s AND status <> 'retired'"
        " ORDER BY sensor",
        [group.stream.name],
    ).fetchall()
    parts = [
        sql.SQL("{}::float8 / nullif({}, 0), {}").format(
            sql.Identifier(f"{name}_sum"),
            sql.Identifier(f"{name}_used"),
            sql.Identifier(f"{name}_used"),
        )
        for name in names
    ]
    query = sql.SQL(
        "SELECT sensor, extract(epoch FROM window_start - %s)::int / 3600, {} FROM {}"
        " WHERE window_start >= %s AND window_start < %s"
    ).format(sql.SQL(", ").join(parts), sql.Identifier(rollup_table("1h", group.stream.name)))
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(query, [begin, begin, end]).fetchall()
    place = {sensor: n for n, (sensor, _) in enumerate(known)}
    hours = round((end - begin) / HOUR)
    found = np.full((len(names) * 2, len(known), hours), np.nan)
    kept = [row for row in rows if row[0] in place]
    if kept:
        sensor, hour, *columns = zip(*kept, strict=True)
        at = np.array([place[s] for s in sensor]), np.array(hour, dtype=np.int64)
        for n, column in enumerate(columns):
            found[n][at] = np.array(column, dtype=np.float64)
    pairs = [(found[2 * n], found[2 * n + 1]) for n in range(len(names))]
    return [s for s, _ in known], [d for _, d in known], pairs


def _counted(values: Floats, used: Floats) -> Floats:
    """Return values of hours that hold at least half of what the sensor usually sends in one."""
    there = used > 0
    usual = np.array(
        [np.median(row[on]) if on.any() else 0.0 for row, on in zip(used, there, strict=True)]
    )
    return np.where(there & (used >= LEAST_SHARE * usual[:, None]), values, np.nan)


def _gathered(
    group: Group, districts: list[str], parts: list[Floats]
) -> tuple[tuple[str, ...], list[Floats]]:
    """Make one series of the sensors of a district or of the city."""
    where = [site().code] * len(districts) if group.level == "city" else districts
    subjects = tuple(sorted(set(where)))
    rows = [np.array([w == subject for w in where]) for subject in subjects]
    made = [np.array([_one(group, part[mine]) for mine in rows]) for part in parts]
    return subjects, [m.reshape(len(subjects), parts[0].shape[1]) for m in made]


def _one(group: Group, values: Floats) -> Floats:
    """Return one number an hour, as the stream's ``overall`` says; NaN where less than half speak.

    A sum is the mean times the number of sensors, so that a silent one does not look like a fall.
    """
    there = np.isfinite(values)
    active = there.any(axis=1).sum()
    enough = (there.sum(axis=0) >= LEAST_SHARE * active) & there.any(axis=0)
    total, count = np.where(there, values, 0.0).sum(axis=0), np.maximum(there.sum(axis=0), 1)
    ways: dict[str, Callable[[], Floats]] = {
        "mean": lambda: total / count,
        "sum": lambda: total / count * active,
        "min": lambda: np.where(there, values, np.inf).min(axis=0),
        "max": lambda: np.where(there, values, -np.inf).max(axis=0),
    }
    return np.where(enough, ways[group.stream.overall](), np.nan)
