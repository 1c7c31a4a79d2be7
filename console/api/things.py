"""Things: where they are, what they show, and how their state has changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from catalog.thing.registry import things
from console.api.paging import Offset, Pages
from console.auth import Conn, Viewer
from console.problems import not_found
from records.things.queries import (
    MOST,
    Change,
    ThingPage,
    ThingRow,
    Wanted,
    count_things,
    get_thing,
    history_of,
    list_things,
    near_things,
    states_of_things,
    thing_of,
)

router = APIRouter(prefix="/things", tags=["things"])
Lon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
Metres = Annotated[float, Query(gt=0, le=20_000, allow_inf_nan=False)]
Short = Annotated[str, Query(max_length=80)]


@router.get("")
def list_kinds(conn: Conn, who: Viewer) -> list[dict[str, Any]]:
    """Return every declared kind as it is declared, with the number of things in each state."""
    counts = states_of_things(conn)
    return [
        {**thing.model_dump(mode="json", exclude={"placed"}), "counts": counts[name]}
        for name, thing in things().items()
    ]


@router.get("/near")
def near(
    conn: Conn,
    who: Viewer,
    lon: Lon,
    lat: Lat,
    within_m: Metres = 200.0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> list[dict[str, Any]]:
    """Return what stands around a place, of any kind, the nearest first."""
    return near_things(conn, lon, lat, within_m, limit)


@router.get("/{kind}")
def list_all(
    kind: str,
    conn: Conn,
    who: Viewer,
    pages: Pages,
    state: Short = "",
    district: Short = "",
    parent: Short = "",
    search: Short = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Offset = 0,
) -> list[ThingRow]:
    """Return things of a kind with what they show, the worst state first."""
    thing, wanted = thing_of(kind), Wanted(state, district, parent, search)
    pages.total(count_things(conn, thing, wanted))
    rows = list_things(conn, thing, wanted, limit + 1, offset)
    return pages.cut(rows, limit, lambda _: {"offset": offset + limit})


@router.get("/{kind}/map")
def layer(kind: str, conn: Conn, who: Viewer, state: Short = "") -> dict[str, Any]:
    """Return the things of a kind that have a place, as GeoJSON."""
    rows = list_things(conn, thing_of(kind), Wanted(state=state), MOST)
    features = [_feature(row) for row in rows if row.lon is not None]
    return {"type": "FeatureCollection", "features": features}


@router.get("/{kind}/{id}")
def get_one(kind: str, id: str, conn: Conn, who: Viewer) -> ThingPage:
    """Return one thing: where it is, what it shows, its parts, records, alerts and past."""
    return get_thing(conn, thing_of(kind), id)


@router.get("/{kind}/{id}/history")
def history(
    kind: str, id: str, conn: Conn, who: Viewer, limit: Annotated[int, Query(ge=1, le=MOST)] = 100
) -> list[Change]:
    """Return the changes of its state, the newest first."""
    found = history_of(conn, thing_of(kind), id, limit)
    if not found:
        raise not_found(f"no history of {kind} {id[:60]}")
    return found


def _feature(row: ThingRow) -> dict[str, Any]:
    kept = {"state", "since", "title_zh", "title_en", "district", "shows", "observed_at"}
    return {
        "type": "Feature",
        "id": row.thing,
        "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
        "properties": row.model_dump(mode="json", include=kept),
    }
