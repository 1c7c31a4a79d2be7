"""Forecasts of others in the table, and as what was known at each origin: ``Panel.ahead``.

Nothing is used that was not known before the hour of issue: ``known_at`` of an issue lies before
the end of the origin's hour. Of what was known the newest issue counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection

from catalog.base import Floats
from catalog.errors import ContractError, TransientError
from catalog.guidance import Guidance, guidances
from catalog.site import site
from forecasts.fetch import Issue, Map, fetch
from forecasts.groups import HOUR_S, Group
from service.log import logger

LIVE = timedelta(days=1)
"""What arrives within a day of its issue counts from its arrival on, older ones as an archive."""
LOOK_S = 600.0
ARCHIVE = timedelta(days=45)
MOST_ANSWERS = 40
HALF_HOUR_S = 1800
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Fetcher:
    """Fetches what is set up, each at most every ten minutes of a monotonic clock."""

    maps: dict[str, Map]
    _next: dict[str, float] = field(default_factory=dict[str, float])

    def look(self, conn: Connection, now: datetime, monotonic: float) -> dict[str, str]:
        """Fetch what is due and store what is new; return why not, by name. ``conn``: autocommit.

        What nobody sends is said, and forecasts go on without it.
        """
        failed: dict[str, str] = {}
        for name, how in self.maps.items():
            if monotonic < self._next.get(name, 0.0):
                continue
            self._next[name] = monotonic + LOOK_S
            try:
                take_all(conn, guidances()[name], how, now)
            except (ContractError, TransientError) as error:
                failed[name] = str(error)
                logger().warning("guidance not fetched", guidance=name, reason=str(error)[:200])
        return failed


def take_all(conn: Connection, guidance: Guidance, how: Map, now: datetime) -> int:
    """Fetch until nothing new comes; return how many issues were stored."""
    total = 0
    for _ in range(MOST_ANSWERS if "{from}" in how.address else 1):
        row = conn.execute(
            "SELECT max(issued_at) FROM forecast_guidance WHERE guidance = %s", [guidance.name]
        ).fetchone()
        since = max(row[0], now - ARCHIVE) if row and row[0] else now - ARCHIVE
        read = fetch(guidance, how, since, now)
        if read.refused:
            words = dict(read.refused.most_common(3))
            logger().warning("guidance: parts refused", guidance=guidance.name, reasons=words)
        stored = store(conn, guidance, read.issues, now)
        total += stored
        if not stored:
            break
    if total:
        logger().info("guidance stored", guidance=guidance.name, issues=total)
    return total


def store(conn: Connection, guidance: Guidance, issues: Sequence[Issue], now: datetime) -> int:
    """Store issues, each once: one that is there is never changed. Return how many are new."""
    rows = []
    for issue in issues:
        times = sorted(issue.values)
        late = now - issue.issued_at > LIVE
        known = issue.issued_at + timedelta(seconds=guidance.delay_s) if late else now
        leads = [round((at - issue.issued_at).total_seconds()) for at in times]
        values = [issue.values[at] for at in times]
        key = (guidance.name, issue.place, issue.quantity, issue.issued_at)
        rows.append((*key, max(known, issue.issued_at), leads, values))
    if not rows:
        return 0
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecast_guidance (guidance, place, quantity, issued_at, known_at,"
            " leads_s, values) VALUES (%s, %s, %s, %s, %s, %s, %s::real[]) ON CONFLICT DO NOTHING",
            rows,
        )
        return cursor.rowcount


def ahead(
    conn: Connection, group: Group, places: Sequence[str], begin: datetime, hours: int
) -> Floats | None:
    """Return what others had forecast at each origin ``[series, hours, leads, k]``.

    ``places`` are the districts of the series; one that nothing is said of takes the city's. NaN
    where nobody had said anything; None when the group uses none.
    """
    names = group.forecast.ahead
    if not names:
        return None
    leads = group.spec.leads
    parts = [_quantity(conn, name, places, begin, hours, leads) for name in names]
    return np.stack(parts, axis=3)


def _quantity(
    conn: Connection,
    name: str,
    places: Sequence[str],
    begin: datetime,
    hours: int,
    leads: tuple[int, ...],
) -> Floats:
    kind, _, quantity = name.partition(".")
    guidance, city = guidances()[kind], site().code
    rows = conn.execute(
        "SELECT place, issued_at, known_at, leads_s, values FROM forecast_guidance"
        " WHERE guidance = %s AND quantity = %s AND place = ANY(%s)"
        " AND issued_at >= %s AND issued_at < %s ORDER BY place, issued_at",
        [
            *(kind, quantity, list({*places, city})),
            *(begin - timedelta(hours=guidance.ahead_h), begin + hours * HOUR),
        ],
    ).fetchall()
    said: dict[str, list[tuple[datetime, datetime, list[int], list[float]]]] = {}
    for place, *issue in rows:
        said.setdefault(place, []).append(tuple(issue))  # pyright: ignore[reportArgumentType]
    by_place = {p: known_ahead(i, begin, hours, leads, guidance) for p, i in said.items()}
    blank = np.full((hours, len(leads)), np.nan)
    return np.stack([by_place.get(p, by_place.get(city, blank)) for p in places])


def known_ahead(
    issues: Sequence[tuple[datetime, datetime, list[int], list[float]]],
    begin: datetime,
    hours: int,
    leads: tuple[int, ...],
    guidance: Guidance,
) -> Floats:
    """Return ``[hours, leads]`` of one place: what the newest known issue said of each hour.

    ``issues`` are (issued_at, known_at, leads in s, values) by time of issue. An origin is the hour
    that starts at ``begin`` + n h; what is known is what was before its end.
    """
    steps = np.arange(hours)
    known_s = np.array([(known - begin).total_seconds() for _, known, _, _ in issues])
    issued_h = np.array([(issued - begin) // HOUR for issued, _, _, _ in issues])
    grid = np.stack([_hourly(issue, guidance) for issue in issues])
    newest = np.full(hours + 1, -1)
    first = np.clip(known_s // HOUR_S, 0, hours).astype(np.int64)  # its end is after it was known
    np.maximum.at(newest, first, np.arange(len(issues)))
    newest = np.maximum.accumulate(newest)[:hours]
    place = steps[:, None] + np.asarray(leads)[None, :] - issued_h[newest][:, None]
    inside = (newest >= 0)[:, None] & (place >= 0) & (place < grid.shape[1])
    return np.where(inside, grid[newest[:, None], np.where(inside, place, 0)], np.nan)


def _hourly(issue: tuple[datetime, datetime, list[int], list[float]], guidance: Guidance) -> Floats:
    """Return an issue at the middle of each hour from that of its issue on; NaN in wide gaps."""
    issued, _, leads_s, values = issue
    within_s = issued.timestamp() % HOUR_S
    at_s = np.asarray(leads_s) + within_s
    wanted = np.arange(guidance.ahead_h + 1) * HOUR_S + HALF_HOUR_S
    after = np.clip(np.searchsorted(at_s, wanted), 1, max(1, len(at_s) - 1))
    inside = (wanted >= at_s[0]) & (wanted <= at_s[-1])
    if len(at_s) > 1:
        inside &= at_s[after] - at_s[after - 1] <= guidance.step_s
    return np.where(inside, np.interp(wanted, at_s, np.asarray(values, np.float64)), np.nan)
