"""A past for the city, written by SQL: readings, windows, rollups, flags and alerts in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from catalog.contracts import STATISTICS
from catalog.model import Stream
from catalog.registry import streams
from storage.tables import aggregates_table, readings_table, rollup_table

ROLLUPS = {"15m": "15 minutes", "1h": "1 hour", "1d": "1 day"}


@dataclass(frozen=True, slots=True)
class Past:
    """How much to write: raw readings, windows and rollups back from ``now``."""

    now: datetime
    raw_hours: float = 1.0
    window_hours: float = 2.0
    rollup_hours: float = 2.0


def write_history(conn: Connection, past: Past) -> None:
    """Fill every stream's tables with a daily wave between each metric's typical values."""
    for stream in streams().values():
        if past.raw_hours:
            _readings(conn, stream, past)
        if past.window_hours:
            step = f"{max(60, stream.cadence_s)} seconds"
            _windows(conn, stream, aggregates_table(stream.name), past, step, past.window_hours)
        if past.rollup_hours:
            for kind, step in ROLLUPS.items():
                _windows(
                    conn, stream, rollup_table(kind, stream.name), past, step, past.rollup_hours
                )
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
    columns, values = [], []
    for metric in stream.aggregate_names:
        wave = _wave(*_typical(stream, metric), "t")
        by_statistic = {"n": "3", "good": "3", "sum": f"3 * {wave}"}
        for statistic in STATISTICS:
            columns.append(f"{metric}_{statistic}")
            values.append(by_statistic.get(statistic, wave))
    names = ", ".join(map(_quoted, columns))
    statement = (
        f"INSERT INTO {table} (sensor, window_start, revision, n, {names})"
        f" SELECT s.sensor, t, 1, 3, {', '.join(values)} FROM sensors s, generate_series("
        "public.time_bucket(%(step)s::interval, %(now)s - make_interval(secs => %(secs)s),"
        " timestamptz '2000-01-03 00:00+08'), %(now)s - %(step)s::interval, %(step)s::interval) t"
        " WHERE s.stream = %(stream)s"
    )
    given = {"step": step, "now": past.now, "secs": hours * 3600, "stream": stream.name}
    conn.execute(statement.encode(), given)


def _last(conn: Connection, stream: Stream, past: Past) -> None:
    """Fill ``sensor_last``; the last sensor of each stream has been silent for a day."""
    pairs = ", ".join(
        f"'{m}', {_wave(*_typical(stream, m), '%(now)s::timestamptz')}" for m in stream.metric_names
    )
    statement = (
        "INSERT INTO sensor_last (stream, sensor, observed_at, received_at, readings)"
        " SELECT s.stream, s.sensor, t.at, t.at + interval '1 second',"
        f" jsonb_build_object({pairs}) FROM sensors s, LATERAL (SELECT CASE WHEN s.sensor ="
        " (SELECT max(sensor) FROM sensors WHERE stream = %(stream)s) AND %(stream)s <>"
        " 'grid_frequency' THEN %(now)s - interval '1 day' ELSE %(now)s - interval"
        " '5 seconds' END AS at) t WHERE s.stream = %(stream)s"
    )
    conn.execute(statement.encode(), {"now": past.now, "stream": stream.name})
