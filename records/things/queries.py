"""Where is it, and what does it show: lists of things, one thing, its parts, records and past."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from catalog.errors import NotFoundError
from catalog.lifecycle.registry import records
from catalog.places import distance_m
from catalog.registry import facts, streams
from catalog.thing.model import Shown, Thing
from catalog.thing.registry import things
from records.near import box
from records.things.states import source
from storage.facts.tables import facts_table

MOST = 1000


class ThingRow(BaseModel):
    """A thing as a list shows it; ``shows`` holds what its sensor and its facts say last."""

    kind: str
    thing: str
    title_zh: str
    title_en: str
    lon: float | None
    lat: float | None
    district: str
    street: str
    attributes: dict[str, Any]
    parent: str
    sensor: str
    present: bool
    state: str
    since: datetime | None
    observed_at: datetime | None = None
    shows: dict[str, Any] = {}


class Change(BaseModel):
    """One change of state."""

    at: datetime
    state: str
    cause: str


class Named(BaseModel):
    """An open record that names the thing."""

    record: str
    kind: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    overdue: bool


class ThingPage(BaseModel):
    """One thing with all that belongs to it."""

    thing: ThingRow
    parents: list[ThingRow]
    parts: list[ThingRow]
    records: list[Named]
    alerts: list[str]
    history: list[Change]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which things of a kind a list shows; everything that is given must hold."""

    state: str = ""
    district: str = ""
    parent: str = ""
    search: str = ""
    thing: str = ""


def thing_of(kind: str) -> Thing:
    """Return a declared kind; ``NotFoundError`` naming the known ones."""
    if kind not in things():
        known = ", ".join(things()) or "none"
        raise NotFoundError(f"no thing {kind[:60]!r}; known: {known}")
    return things()[kind]


def list_things(
    conn: Connection, thing: Thing, wanted: Wanted, limit: int = 200, offset: int = 0
) -> list[ThingRow]:
    """Return the things of a kind that pass, in the order of their states, the worst first."""
    order = [state.name for state in thing.states]
    query = sql.SQL(
        "SELECT t.*, {at} AS observed_at, {shows} AS shows {source} WHERE {where}"
        " ORDER BY array_position({order}::text[], t.state), t.thing"
        " LIMIT {limit} OFFSET {offset}"
    ).format(
        at=sql.SQL("l.observed_at" if thing.sensors in streams() else "NULL::timestamptz"),
        shows=_shows(thing),
        source=source(thing),
        where=_where(thing, wanted),
        order=sql.Literal(order),
        limit=sql.Literal(min(limit, MOST)),
        offset=sql.Literal(max(offset, 0)),
    )
    with conn.cursor(row_factory=class_row(ThingRow)) as cursor:
        return cursor.execute(query).fetchall()


def count_things(conn: Connection, thing: Thing, wanted: Wanted) -> int:
    """Return how many pass."""
    query = sql.SQL("SELECT count(*) FROM things t WHERE {}").format(_where(thing, wanted))
    row = conn.execute(query).fetchone()
    return row[0] if row else 0


def states_of_things(conn: Connection) -> dict[str, dict[str, int]]:
    """Return how many things of each kind are in each state, zeros too."""
    rows = conn.execute(
        "SELECT kind, state, count(*) FROM things WHERE present GROUP BY 1, 2"
    ).fetchall()
    found = {(kind, state): n for kind, state, n in rows}
    return {
        kind: {state.name: found.get((kind, state.name), 0) for state in thing.states}
        for kind, thing in things().items()
    }


def get_thing(conn: Connection, thing: Thing, id: str) -> ThingPage:
    """Return one thing with all that belongs to it; ``NotFoundError`` otherwise."""
    found = list_things(conn, thing, Wanted(thing=id))
    if not found:
        raise NotFoundError(f"no {thing.name} {id[:60]!r}")
    row = found[0]
    return ThingPage(
        thing=row,
        parents=_parents(conn, thing, row),
        parts=_parts(conn, thing, id),
        records=_records(conn, thing, id),
        alerts=_alerts(conn, thing, row),
        history=history_of(conn, thing, id, 100),
    )


def history_of(conn: Connection, thing: Thing, id: str, limit: int) -> list[Change]:
    """Return the changes of a thing's state, the newest first."""
    with conn.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(
            "SELECT at, state, cause FROM thing_history WHERE kind = %s AND thing = %s"
            " ORDER BY at DESC LIMIT %s",
            [thing.name, id, min(limit, MOST)],
        ).fetchall()


def rules_of_alerts(conn: Connection, ids: list[str]) -> dict[str, str]:
    """Return the rule of each of these alerts."""
    rows = conn.execute("SELECT id, rule FROM episodes WHERE id = ANY(%s)", [ids]).fetchall()
    return dict(rows)


def near_things(
    conn: Connection, lon: float, lat: float, within_m: float, limit: int = 50
) -> list[dict[str, Any]]:
    """Return things of any kind around a place, the nearest first, with ``distance_m``."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT kind, thing, title_zh, title_en, state, lon, lat FROM things"
            " WHERE present AND lat BETWEEN %s AND %s AND lon BETWEEN %s AND %s",
            box(lon, lat, within_m),
        ).fetchall()
    away = [r | {"distance_m": distance_m((lon, lat), (r["lon"], r["lat"]))} for r in rows]
    there = [row for row in away if row["distance_m"] <= within_m]
    nearest = sorted(there, key=lambda row: (row["distance_m"], row["kind"], row["thing"]))
    return nearest[: min(limit, MOST)]


def known_thing(conn: Connection, value: str) -> tuple[float | None, float | None] | None:
    """Return the place of a thing that is there, given as ``kind:id``; None for an unknown one."""
    kind, _, id = value.partition(":")
    return conn.execute(
        "SELECT lon, lat FROM things WHERE kind = %s AND thing = %s AND present", [kind, id]
    ).fetchone()


def thing_at_sensor(conn: Connection, sensor: str, kinds: tuple[str, ...]) -> str | None:
    """Return the thing of these kinds that has a sensor, as ``kind:id``; None unless it is one."""
    rows = conn.execute(
        "SELECT kind || ':' || thing FROM things WHERE sensor = %s AND kind = ANY(%s) AND present"
        " LIMIT 2",
        [sensor, list(kinds)],
    ).fetchall()
    return rows[0][0] if len(rows) == 1 else None


def _where(thing: Thing, wanted: Wanted) -> sql.Composable:
    parts: list[sql.Composable] = [sql.SQL("t.kind = {}").format(sql.Literal(thing.name))]
    if not wanted.thing:
        parts.append(sql.SQL("t.present"))
    for column in ("thing", "state", "district", "parent"):
        if value := getattr(wanted, column):
            parts.append(sql.SQL("t.{} = {}").format(sql.Identifier(column), sql.Literal(value)))
    if wanted.search:
        text = sql.SQL("concat_ws(' ', t.thing, t.title_zh, t.title_en, t.street)")
        look = sql.Literal(wanted.search.lower())
        parts.append(sql.SQL("strpos(lower({}), {}) > 0").format(text, look))
    return sql.SQL(" AND ").join(parts)


def _shows(thing: Thing) -> sql.Composable:
    parts = [
        sql.SQL("{}::text, {}").format(sql.Literal(one.name), shown)
        for one in thing.shows
        if (shown := _shown(thing, one)) is not None
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(parts))


def _shown(thing: Thing, one: Shown) -> sql.Composable | None:
    if one.reading:
        known = thing.sensors in streams()
        return sql.SQL("l.{}").format(sql.Identifier(one.reading)) if known else None
    if one.fact not in facts():
        return None
    return sql.SQL(
        "(SELECT f.{} FROM {} f WHERE f.thing = t.thing AND NOT f.void ORDER BY f.at DESC LIMIT 1)"
    ).format(sql.Identifier(str(one.field)), sql.Identifier(facts_table(str(one.fact))))


def _parents(conn: Connection, thing: Thing, row: ThingRow) -> list[ThingRow]:
    """Return what it belongs to, the nearest first."""
    found: list[ThingRow] = []
    kind, id = thing.parent, row.parent
    while kind in things() and id and len(found) < 10:
        above = list_things(conn, things()[kind], Wanted(thing=id))
        if not above:
            break
        found += above
        kind, id = things()[kind].parent, above[0].parent
    return found


def _parts(conn: Connection, thing: Thing, id: str) -> list[ThingRow]:
    below = [kind for kind in things().values() if kind.parent == thing.name]
    return [row for kind in below for row in list_things(conn, kind, Wanted(parent=id))]


def _alerts(conn: Connection, thing: Thing, row: ThingRow) -> list[str]:
    rows = conn.execute(
        "SELECT id FROM episodes WHERE stream = %s AND sensor = %s AND cleared_at IS NULL"
        " ORDER BY severity, raised_at LIMIT 50",
        [thing.sensors, row.sensor],
    ).fetchall()
    return [id for (id,) in rows]


def _records(conn: Connection, thing: Thing, id: str) -> list[Named]:
    """Return the open records that name it: in a field for things, or one that a state looks at."""
    looked = {(w.record, w.by) for s in thing.states for w in s.when if w.record}
    looked |= {
        (r.name, f.name) for r in records().values() for f in r.fields if thing.name in f.things
    }
    found: dict[str, Named] = {}
    for kind, field in sorted(looked, key=str):
        for value in (id, f"{thing.name}:{id}"):
            with conn.cursor(row_factory=class_row(Named)) as cursor:
                rows = cursor.execute(
                    "SELECT kind || '-' || id AS record, kind, state, opened_at, due_at, overdue"
                    " FROM records WHERE kind = %s AND closed_at IS NULL AND fields @> %s"
                    " ORDER BY due_at, id LIMIT 50",
                    [kind, Jsonb({field: value})],
                ).fetchall()
            found |= {row.record: row for row in rows}
    return list(found.values())
