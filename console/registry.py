"""Questions to the register of sensors: which there are, what each is doing, what hangs on it."""

from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row

from catalog.model import Text
from catalog.registry import streams

State = Literal["red", "orange", "yellow", "blue", "normal", "stale", "never"]
Status = Literal["registered", "provisional", "retired"]
Row = dict[str, Any]


def sensors(
    conn: Connection,
    *,
    stream: str | None = None,
    domain: str | None = None,
    district: str | None = None,
    state: State | None = None,
    status: Status | None = None,
    search: str = "",
    after: tuple[str, str] = ("", ""),
    limit: int = 500,
) -> list[Row]:
    """Return rows of ``dash.sensor_states`` by stream and sensor, each with its ``status``.

    ``search`` looks into ids, titles and streets; ``after`` is (stream, sensor) of the last row of
    the page before. Sensors out of service are found by their ``status`` only.
    """
    query = (
        f"SELECT d.*, s.status FROM {_OUT if status == 'retired' else _IN} d"
        " JOIN sensors s ON s.stream = d.stream AND s.sensor = d.sensor"
        " WHERE (%(domain)s::text IS NULL OR domain = %(domain)s)"
        " AND (%(district)s::text IS NULL OR d.district = %(district)s)"
        " AND (%(state)s::text IS NULL OR state = %(state)s)"
        " AND (%(status)s::text IS NULL OR s.status = %(status)s)"
        " AND strpos(lower(concat_ws(' ', d.sensor, d.title_zh, d.title_en, d.street)),"
        " lower(%(search)s)) > 0"
        " AND (d.stream, d.sensor) > (%(after_stream)s, %(after_sensor)s)"
        " ORDER BY d.stream, d.sensor LIMIT %(limit)s"
    )
    values = {
        "stream": stream,
        "domain": domain,
        "district": district,
        "state": state,
        "status": status,
        "search": search,
        "after_stream": after[0],
        "after_sensor": after[1],
        "limit": limit,
    }
    return _rows(conn, query, values)


_IN = "dash.sensor_states(%(stream)s)"
_OUT = (
    "(SELECT s.stream, m.domain, s.sensor, coalesce(nullif(s.title_zh, ''), s.sensor) AS title_zh,"
    " coalesce(nullif(s.title_en, ''), s.sensor) AS title_en, s.district, s.street, s.lon, s.lat,"
    " l.observed_at, extract(epoch FROM now() - l.observed_at)::float8 AS age_s,"
    " 'never' AS freshness, NULL::smallint AS severity, 'never' AS state, NULL::float8 AS value,"
    " m.unit, m.decimals FROM sensors s JOIN dash.streams m ON m.stream = s.stream"
    " LEFT JOIN sensor_last l ON l.stream = s.stream AND l.sensor = s.sensor"
    " WHERE s.status = 'retired' AND (%(stream)s::text IS NULL OR s.stream = %(stream)s))"
)
"""States of the sensors in service, and of those out of it, which have none."""


def sensor(conn: Connection, stream: str, sensor: str) -> Row | None:
    """Return one sensor: its state, attributes, what feeds it, newest reading; None if unknown."""
    query = (
        "SELECT d.*, s.city, s.attributes, s.parent, s.status, s.created_at, l.received_at,"
        f" dash.last_values(d.stream, d.sensor) AS readings FROM (SELECT * FROM {_IN}"
        f" UNION ALL SELECT * FROM {_OUT} o) d"
        " JOIN sensors s ON s.stream = d.stream AND s.sensor = d.sensor"
        " LEFT JOIN sensor_last l ON l.stream = d.stream AND l.sensor = d.sensor"
        " WHERE d.sensor = %(sensor)s"
    )
    return next(iter(_rows(conn, query, {"stream": stream, "sensor": sensor})), None)


def everywhere(conn: Connection) -> list[Row]:
    """Return the register: names, street and district of every sensor in use."""
    query = (
        "SELECT stream, sensor, title_zh, title_en, district, street FROM sensors"
        " WHERE status <> 'retired' ORDER BY stream, sensor"
    )
    return _rows(conn, query, {})


def states_of(conn: Connection, keys: list[tuple[str, str]], limit: int) -> list[Row]:
    """Return rows of ``dash.sensor_states`` of these (stream, sensor), the first ``limit``."""
    if not keys:
        return []
    query = (
        "SELECT d.* FROM dash.sensor_states() d JOIN unnest(%(streams)s::text[],"
        " %(sensors)s::text[]) k (stream, sensor) USING (stream, sensor)"
    )
    few = keys[:limit]
    return _rows(conn, query, {"streams": [k[0] for k in few], "sensors": [k[1] for k in few]})


def relatives(conn: Connection, sensor: str, parent: str | None) -> list[Row]:
    """Return what feeds a sensor (``role`` parent) and what it feeds (``role`` child)."""
    query = (
        "SELECT CASE WHEN s.sensor = %(parent)s THEN 'parent' ELSE 'child' END AS role,"
        " s.stream, s.sensor, s.title_zh, s.title_en FROM sensors s"
        " WHERE s.status <> 'retired' AND (s.sensor = %(parent)s OR s.parent = %(sensor)s)"
        " ORDER BY role DESC, s.stream, s.sensor LIMIT 200"
    )
    return _rows(conn, query, {"sensor": sensor, "parent": parent})


def stream_title(stream: str) -> Text:
    """Return the title of a stream; its name when it is not declared here."""
    declared = streams().get(stream)
    return declared.title if declared else Text(zh=stream, en=stream)


def places(conn: Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Return titles, district and position by (stream, sensor); unknown ones are left out."""
    query = (
        "SELECT s.stream, s.sensor, s.title_zh, s.title_en, s.district, s.street, s.lon, s.lat"
        " FROM sensors s JOIN (SELECT DISTINCT * FROM unnest(%(streams)s::text[],"
        " %(sensors)s::text[])) k (stream, sensor) USING (stream, sensor)"
    )
    values = {"streams": [key[0] for key in keys], "sensors": [key[1] for key in keys]}
    return {(row["stream"], row["sensor"]): row for row in _rows(conn, query, values)}


def known_sensors(conn: Connection, stream: str, names: list[str]) -> set[str]:
    """Return those of ``names`` that the register knows in this stream."""
    query = "SELECT sensor FROM sensors WHERE stream = %s AND sensor = ANY(%s)"
    return {row[0] for row in conn.execute(query, [stream, names])}


def _rows(conn: Connection, query: str, values: dict[str, Any]) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
