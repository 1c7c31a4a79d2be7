"""Bring the table of things to what system, site and registered sensors say."""

from psycopg import Connection
from psycopg.types.json import Jsonb

from catalog.thing.model import Placed, Thing
from catalog.thing.registry import placed

_PUT = """
INSERT INTO things AS t (kind, thing, title_zh, title_en, lon, lat, district, street, attributes,
                         parent, sensor)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (kind, thing) DO UPDATE SET title_zh = excluded.title_zh, title_en = excluded.title_en,
    lon = excluded.lon, lat = excluded.lat, district = excluded.district,
    street = excluded.street, attributes = excluded.attributes, parent = excluded.parent,
    sensor = excluded.sensor, present = true"""
_BY_SENSOR = """
INSERT INTO things AS t (kind, thing, title_zh, title_en, lon, lat, district, street, attributes,
                         parent, sensor)
SELECT %(kind)s, s.sensor, coalesce(nullif(s.title_zh, ''), s.sensor),
       coalesce(nullif(s.title_en, ''), s.sensor), s.lon, s.lat, s.district, s.street,
       s.attributes, %(parent)s, s.sensor
FROM sensors s WHERE s.stream = %(stream)s AND s.status = 'registered'
ON CONFLICT (kind, thing) DO UPDATE SET title_zh = excluded.title_zh, title_en = excluded.title_en,
    lon = excluded.lon, lat = excluded.lat, district = excluded.district,
    street = excluded.street, attributes = excluded.attributes, parent = excluded.parent,
    sensor = excluded.sensor, present = true
WHERE NOT t.present OR (t.title_zh, t.title_en, t.lon, t.lat, t.district, t.street, t.attributes,
                        t.parent)
    IS DISTINCT FROM (excluded.title_zh, excluded.title_en, excluded.lon, excluded.lat,
                      excluded.district, excluded.street, excluded.attributes, excluded.parent)"""
_GONE = """
UPDATE things t SET present = false WHERE t.kind = %(kind)s AND t.present
AND t.thing <> ALL(%(placed)s) AND NOT EXISTS (
    SELECT FROM sensors s WHERE s.stream = %(stream)s AND s.sensor = t.thing
    AND s.status = 'registered')"""


def place(conn: Connection, thing: Thing) -> None:
    """Write the things of a kind that are placed by hand, once at a start; mark those gone."""
    named = placed(thing.name)
    with conn.cursor() as cursor:
        cursor.executemany(_PUT, [_row(thing, one) for one in named])
    follow_sensors(conn, thing)


def follow_sensors(conn: Connection, thing: Thing) -> None:
    """Write the things that are sensors, as registered now; mark what is placed no more."""
    stream = thing.sensors if thing.each_sensor else None
    given = {"kind": thing.name, "stream": stream, "parent": thing.parent_id}
    if stream:
        conn.execute(_BY_SENSOR, given)
    conn.execute(_GONE, given | {"placed": [one.id for one in placed(thing.name)]})


def _row(thing: Thing, one: Placed) -> list[object]:
    return [
        *(thing.name, one.id, one.title.zh, one.title.en, one.lon, one.lat),
        *(one.district, one.street, Jsonb(one.attributes)),
        *(one.parent or thing.parent_id, one.sensor),
    ]
