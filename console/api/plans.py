"""Plans and their devices: what is declared, what is shown, why nothing is said."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from catalog.plan.device import Device, devices
from catalog.plan.layout import pages_of
from catalog.plan.registry import plans
from console.auth import Conn, Viewer
from console.problems import not_found
from records.plans.store import Refusal, Said, advices, refusals, said
from service.postgres import now_of

router = APIRouter(tags=["plans"])


class PlanState(BaseModel):
    """A plan, and how many of its proposals are in each state."""

    name: str
    title_zh: str
    title_en: str
    system: str
    record: str
    mode: str
    priority: int
    devices: str
    states: dict[str, int]
    silent_because: list[Refusal]


class DeviceState(BaseModel):
    """A device, where it stands, and what it was found to show; ``record`` told it to."""

    id: str
    title_zh: str
    title_en: str
    lon: float
    lat: float
    status: str
    pages: list[list[str]]
    record: str | None
    why: str
    asked_at: datetime | None
    seen_at: datetime | None


@router.get("/plans")
def list_plans(conn: Conn, who: Viewer) -> list[PlanState]:
    """Return every plan, the highest priority first."""
    known, silent = advices(conn, now_of(conn)), refusals(conn)
    found = []
    for plan in plans().values():
        open_ones = [a.state for a in known if a.plan == plan.name and a.open]
        found.append(
            PlanState(
                name=plan.name,
                title_zh=plan.title.zh,
                title_en=plan.title.en,
                system=plan.system,
                record=plan.record,
                mode=plan.mode,
                priority=plan.priority,
                devices=plan.whom.device,
                states={state: open_ones.count(state) for state in dict.fromkeys(open_ones)},
                silent_because=[r for r in silent if r.plan == plan.name],
            )
        )
    return found


@router.get("/devices/{kind}")
def list_devices(kind: str, conn: Conn, who: Viewer) -> list[DeviceState]:
    """Return the site's devices of a kind and what each was found to show."""
    return [_state(one, last) for one, last in _of_kind(kind, said(conn))]


@router.get("/devices/{kind}/map")
def map_devices(kind: str, conn: Conn, who: Viewer) -> dict[str, Any]:
    """Return the devices of a kind as GeoJSON."""
    states = [_state(one, last) for one, last in _of_kind(kind, said(conn))]
    features = [
        {
            "type": "Feature",
            "id": state.id,
            "geometry": {"type": "Point", "coordinates": [state.lon, state.lat]},
            "properties": state.model_dump(mode="json", exclude={"id", "lon", "lat"}),
        }
        for state in states
    ]
    return {"type": "FeatureCollection", "features": features}


def _of_kind(kind: str, answers: dict[tuple[str, str], Said]) -> list[tuple[Device, Said | None]]:
    if kind not in devices():
        known = ", ".join(devices()) or "none"
        raise not_found(f"no devices of kind {kind[:60]!r}; known: {known}")
    return [(one, answers.get((kind, id))) for id, one in devices()[kind].items()]


def _state(one: Device, last: Said | None) -> DeviceState:
    return DeviceState(
        id=one.id,
        title_zh=one.title.zh,
        title_en=one.title.en,
        lon=one.at[0],
        lat=one.at[1],
        status=last.status if last else "unknown",
        pages=pages_of(last.message) if last else [],
        record=last.key.partition("/")[0] or None if last else None,
        why=last.why if last else "",
        asked_at=last.asked_at if last else None,
        seen_at=last.seen_at if last else None,
    )
