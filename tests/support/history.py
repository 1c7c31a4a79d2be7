"""A past for the city, written by SQL: readings, windows, rollups, flags and alerts in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from catalog.contracts import STATISTICS
from catalog.model import Stream
from catalog.registry import streams
from storage.tables import aggregates_table, last_table, readings_table, rollup_table

ROLLUPS = {"15m": "15 minutes", "1h": "1 hour", "1d": "1 day"}


@dataclass(frozen=True, slots=True)
class Past:
    """How much to write: raw readings, windows and rollups back from ``now``.

    ``deep``: streams whose one-minute windows reach as far back as the rollups.
    """

    now: datetime
    raw_hours: float = 1.0
    window_hours: float = 2.0
    quarter_hours: float = 2.0
    rollup_hours: float = 2.0
    deep: frozenset[str] = frozenset()

    def hours(self, kind: str) -> float:
        """Return how far rollups of one kind reach back."""
        return self.quarter_hours if kind == "15m" else self.rollup_hours


def month(now: datetime) -> Past:
    """Return a history of 30 days that is written in seconds.

    Every level of every stream has the rows that panels read from it; only the smallest stream has
    30 days of minutes too.
    """
    return Past(now, 1.5, 2.0, 26.0, 30 * 24.0, deep=frozenset(("grid_frequency",)))


def write_history(conn: Connection, past: Past) -> None:
    """Fill every stream's tables with a daily wave between each metric's typical values."""
    for stream in streams().values():
        if past.raw_hours:
            _readings(conn, stream, past)
        if past.window_hours:
            step = f"{max(60, stream.cadence_s)} seconds"
            hours = past.rollup_hours if stream.name in past.deep else past.window_hours
            _windows(conn, stream, aggregates_table(stream.name), past, step, hours)
        for kind, step in ROLLUPS.items():
            if hours := past.hours(kind):
                _windows(conn, stream, rollup_table(kind, stream.name), past, step, hours)
        _last(conn, stream, past)


def write_alerts(conn: Connection, past: Past) -> None:
    """Open one alert per stream (severities in turn), clear some older ones, flag some readings."""
    for number, stream in enumerate(streams().values()):
        rule = stream.rules[0]
        conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, changed_at, cleared_at)"
            " SELECT format('%%s-%%s', %(rule)s::text, n), %(rule)s, %(stream)s, sensor,"
            " CASE WHEN n = 0 THEN 'active' ELSE 'cleared' END, %(severity)s, %(severity)s,"
            " %(metric)s, 9.5, 9, %(now)s - make_interval(mins => 10 + n * 7),"
            " %(now)s - make_interval(mins => 8 + n * 7),"
            " CASE WHEN n > 0 THEN %(now)s - make_interval(mins => 5 + n * 7) END"
            " FROM generate_series(0, 3) n, (SELECT sensor FROM sensors WHERE stream = %(stream)s"
            " ORDER BY sensor LIMIT 1) s",
            {
                "rule": stream.rule_id(rule),
                "stream": stream.name,
                "severity": number % 4 + 1,
                "metric": getattr(rule, "metric", None),
                "now": past.now,
            },
        )
        conn.execute(
            "INSERT INTO qc_flags SELECT stream, sensor, %s - interval '5 minutes', %s, 'spike', 3,"
            " 1.5 FROM sensors WHERE stream = %s ORDER BY sensor LIMIT 2",
            [past.now, stream.metric_names[0], stream.name],
        )


def write_older_alerts(conn: Connection, past: Past, *, every_hours: int = 6) -> None:
    """Clear one alert and flag one reading per stream every few hours back from yesterday."""
    for number, stream in enumerate(streams().values()):
        rule = stream.rules[0]
        given = {
            "rule": stream.rule_id(rule),
            "stream": stream.name,
            "severity": number % 4 + 1,
            "metric": getattr(rule, "metric", None),
            "first": stream.metric_names[0],
            "now": past.now,
            "secs": past.rollup_hours * 3600,
            "every": every_hours,
        }
        times = (
            "generate_series(%(now)s - make_interval(secs => %(secs)s), %(now)s - interval '1 day',"
            " make_interval(hours => %(every)s)) t, (SELECT sensor FROM sensors"
            " WHERE stream = %(stream)s ORDER BY sensor LIMIT 1) s"
        )
        conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, raised_recorded_at, changed_at, cleared_at,"
            " acked_at, acked_by)"
            " SELECT format('%%s-%%s', %(rule)s::text, t), %(rule)s, %(stream)s, sensor, 'cleared',"
            " %(severity)s, %(severity)s, %(metric)s, 9.5, 9, t, t, t, t + interval '20 minutes',"
            f" t + interval '2 minutes', 'operator' FROM {times}".encode(),
            given,
        )
        conn.execute(
            "INSERT INTO qc_flags SELECT %(stream)s, sensor, t, %(first)s, 'spike', 3, 1.5"
            f" FROM {times}".encode(),
            given,
        )


def write_incidents(conn: Connection, past: Past) -> None:
    """Make one incident of the newest ponding alert and the rain's, open; and an older, resolved.

    Call after both writers of alerts.
    """
    for number, (kind, stream, support, ended) in enumerate(
        (
            ("waterlogging", "waterlogging", "weather", False),
            ("power_outage", "feeder", "water_supply", True),
        )
    ):
        given = {
            "id": f"i{number}",
            "kind": kind,
            "stream": stream,
            "support": support,
            "status": "resolved" if ended else "confirmed",
            "ended": ended,
            "now": past.now,
        }
        conn.execute(
            "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
            " root_sensor, district, opened_at, newest_at, changed_at, resolved_at)"
            " SELECT %(id)s, %(kind)s, %(status)s, 2, 2, e.id, e.sensor, s.district, e.raised_at,"
            " e.raised_at, e.raised_at,"
            " CASE WHEN %(ended)s THEN e.raised_at + interval '50 min' END"
            " FROM episodes e JOIN sensors s USING (stream, sensor) WHERE e.stream = %(stream)s"
            " AND (e.cleared_at IS NULL) <> %(ended)s"
            " AND (e.raised_at < %(now)s - interval '1 day' OR NOT %(ended)s)"
            " ORDER BY e.raised_at DESC LIMIT 1",
            given,
        )
        conn.execute(
            "INSERT INTO incident_members (episode, incident, role, added_at)"
            " SELECT DISTINCT ON (e.stream) e.id, i.id, CASE WHEN e.id = i.root_episode"
            " THEN 'trigger' ELSE 'support' END, e.raised_at FROM incidents i, episodes e"
            " WHERE i.id = %(id)s AND (e.id = i.root_episode OR e.stream = %(support)s)"
            " ORDER BY e.stream, abs(extract(epoch FROM e.raised_at - i.opened_at))",
            given,
        )


def write_deliveries(conn: Connection) -> None:
    """Tell one receiver of each alert: every tenth at the second attempt, every fiftieth never."""
    conn.execute(
        "INSERT INTO receivers (name, url, secret) VALUES ('值班室', 'http://127.0.0.1:1/', 'x')"
    )
    conn.execute(
        "INSERT INTO outbox (id, receiver, receiver_seq, episode, transition, kind, body,"
        " created_at, attempts, delivered_at, failed_at, last_error)"
        " SELECT 'w' || n, r.id, n, e.id, e.id, 'raised', '{}', e.raised_at,"
        " 1 + (n % 10 = 0)::int, CASE WHEN n % 50 > 0 THEN e.raised_at"
        " + make_interval(secs => 0.2 + (n % 7) * 0.1 + (n % 10 = 0)::int * 5) END,"
        " CASE WHEN n % 50 = 0 THEN e.raised_at + interval '1 hour' END,"
        " CASE WHEN n % 10 = 0 THEN '503 busy' END"
        " FROM (SELECT *, row_number() OVER (ORDER BY raised_at, id) AS n FROM episodes) e,"
        " receivers r"
    )
    conn.execute(
        "INSERT INTO deliveries (outbox, attempt, at, status_code, error, duration_ms)"
        " SELECT o.id, a, o.created_at + make_interval(secs => 5 * (a - 1)),"
        " CASE WHEN a < o.attempts OR o.failed_at IS NOT NULL THEN 503 ELSE 204 END,"
        " CASE WHEN a < o.attempts OR o.failed_at IS NOT NULL THEN 'busy' END, 120"
        " FROM outbox o, generate_series(1, o.attempts) a"
    )


def write_backlog(conn: Connection, past: Past) -> None:
    """Leave what a running platform leaves: a dead letter, a consumer's and a worker's place."""
    conn.execute(
        "INSERT INTO dead_letters (id, at, stream, stage, code, reason)"
        " VALUES ('d1', %s, 'noise', 'gateway', 'out_of_range', 'leq_db: 999 is above 150')",
        [past.now],
    )
    conn.execute("INSERT INTO consumer_offsets VALUES ('sink', 'city.flags.v1', 0, 42, now())")
    conn.execute("INSERT INTO checkpoints VALUES ('worker', 'city.flags.v1', 0, 42, now())")


def _wave(low: float, high: float, time: str) -> str:
    """Return SQL for a value between low and high: a day's wave that differs per sensor."""
    return (
        f"({low} + ({high} - {low}) * (0.5 + 0.35 * sin(2 * pi() * extract(epoch FROM {time})"
        " / 86400 + mod(hashtext(s.sensor), 7)) + 0.1 * sin(extract(epoch FROM "
        + time
        + ") / 97)))"
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def _typical(stream: Stream, metric: str) -> tuple[float, float]:
    span = getattr(stream.quantity(metric), "typical", None)
    return span if span else _typical(stream, getattr(stream.quantity(metric), "of", ""))


def _readings(conn: Connection, stream: Stream, past: Past) -> None:
    values = ", ".join(_wave(*_typical(stream, m), "t") for m in stream.metric_names)
    names = ", ".join(map(_quoted, stream.metric_names))
    statement = (
        f"INSERT INTO {readings_table(stream.name)} (sensor, observed_at, received_at,"
        f" {names}) SELECT s.sensor, t, t + interval '1 second', {values}"
        f" FROM sensors s, generate_series(%s::timestamptz - make_interval(secs => %s), %s,"
        f" make_interval(secs => %s)) t WHERE s.stream = %s"
    )
    now, seconds = past.now, past.raw_hours * 3600
    conn.execute(statement.encode(), [now, seconds, now, stream.cadence_s, stream.name])


def _windows(
    conn: Connection, stream: Stream, table: str, past: Past, step: str, hours: float
) -> None:
    columns, values, waves = [], [], []
    for n, metric in enumerate(stream.aggregate_names):
        wave = f"w.w{n}"
        waves.append(f"{_wave(*_typical(stream, metric), 't')} AS w{n}")
        by_statistic = {"n": "3", "good": "3", "used": "3", "sum": f"3 * {wave}"}
        for statistic in STATISTICS:
            columns.append(f"{metric}_{statistic}")
            values.append(by_statistic.get(statistic, wave))
    names = ", ".join(map(_quoted, columns))
    statement = (
        f"INSERT INTO {table} (sensor, window_start, revision, n, {names})"
        f" SELECT s.sensor, t, 1, 3, {', '.join(values)} FROM sensors s, generate_series("
        "public.time_bucket(%(step)s::interval, %(now)s - make_interval(secs => %(secs)s),"
        " timestamptz '2000-01-03 00:00+08'), %(now)s - %(step)s::interval, %(step)s::interval) t,"
        f" LATERAL (SELECT {', '.join(waves)} OFFSET 0) w"  # OFFSET: each wave is computed once
        " WHERE s.stream = %(stream)s"
    )
    given = {"step": step, "now": past.now, "secs": hours * 3600, "stream": stream.name}
    conn.execute(statement.encode(), given)


def _last(conn: Connection, stream: Stream, past: Past) -> None:
    """Fill ``sensor_last``; the last sensor of each stream has been silent for a day."""
    names = ", ".join(f'"{name}"' for name in stream.metric_names)
    values = ", ".join(
        _wave(*_typical(stream, name), "%(now)s::timestamptz") for name in stream.metric_names
    )
    statement = (
        f"INSERT INTO {last_table(stream.name)} (sensor, observed_at, received_at,"
        f" {names}) SELECT s.sensor, t.at, t.at + interval '1 second',"
        f" {values} FROM sensors s, LATERAL (SELECT CASE WHEN s.sensor ="
        " (SELECT max(sensor) FROM sensors WHERE stream = %(stream)s) AND %(stream)s <>"
        " 'grid_frequency' THEN %(now)s - interval '1 day' ELSE %(now)s - interval"
        " '5 seconds' END AS at) t WHERE s.stream = %(stream)s"
    )
    conn.execute(statement.encode(), {"now": past.now, "stream": stream.name})
