"""Past hours of a group's signals, from the rollups."""

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection, sql

from catalog.base import Floats
from forecasts.joint.groups import Signal
from storage.tables import rollup_table

HOUR = timedelta(hours=1)


def read(conn: Connection, signals: tuple[Signal, ...], begin: datetime, end: datetime) -> Floats:
    """Return the means of the hours from ``begin`` to before ``end`` ``[hours, n]``; NaN = none."""
    values = np.full((round((end - begin) / HOUR), len(signals)), np.nan)
    streams = defaultdict[str, list[tuple[int, Signal]]](list)
    for place, signal in enumerate(signals):
        streams[signal.stream].append((place, signal))
    for stream, mine in streams.items():
        _fill(conn, stream, mine, begin, end, values)
    return values


def _fill(
    conn: Connection,
    stream: str,
    mine: list[tuple[int, Signal]],
    begin: datetime,
    end: datetime,
    values: Floats,
) -> None:
    metrics = sorted({signal.metric for _, signal in mine})
    means = [
        sql.SQL("{}::float8 / nullif({}, 0)").format(
            sql.Identifier(f"{metric}_sum"), sql.Identifier(f"{metric}_used")
        )
        for metric in metrics
    ]
    query = sql.SQL(
        "SELECT sensor, extract(epoch FROM window_start - %s)::int / 3600, {} FROM {}"
        " WHERE sensor = ANY(%s) AND window_start >= %s AND window_start < %s"
    ).format(sql.SQL(", ").join(means), sql.Identifier(rollup_table("1h", stream)))
    place = {(signal.sensor, signal.metric): n for n, signal in mine}
    sensors = sorted({signal.sensor for _, signal in mine})
    with conn.cursor(binary=True) as cursor:
        for sensor, hour, *found in cursor.execute(query, [begin, sensors, begin, end]):
            for metric, value in zip(metrics, found, strict=True):
                if value is not None and (sensor, metric) in place:
                    values[hour, place[sensor, metric]] = value
