"""What is set for single sensors in place of the declaration: seen, set and ended."""

from fastapi import APIRouter
from pydantic import BaseModel

from console.api.sensors import SensorId, Why
from console.api.streams import KnownStream
from console.auth import Conn, Operator, Viewer
from service.postgres import now_of
from storage.overrides import Row, Target, Wish, end_override, history, in_force, set_override

router = APIRouter(tags=["sensors"])
OF_SENSOR = "/sensors/{stream}/{sensor}/overrides"


class Revision(BaseModel):
    """Which of all overrides it is; the worker's log names it so."""

    revision: int


@router.get(OF_SENSOR)
def get_overrides(
    declared: KnownStream, sensor: SensorId, conn: Conn, who: Viewer, ended: bool = False
) -> list[Row]:
    """Return what holds for a sensor, the newest first; with ``ended`` all that ever was set."""
    rows = history(conn, declared.name, sensor)
    return rows if ended else in_force(rows, now_of(conn))


@router.put(OF_SENSOR + "/{metric}")
def put_override(
    declared: KnownStream, sensor: SensorId, metric: str, wish: Wish, conn: Conn, who: Operator
) -> Revision:
    """Set span, floor or resolution of a metric in place of what was set before."""
    made = set_override(conn, Target(declared.name, sensor, metric), wish, who.name)
    return Revision(revision=made)


@router.post(OF_SENSOR + "/{metric}/end")
def end(
    declared: KnownStream, sensor: SensorId, metric: str, why: Why, conn: Conn, who: Operator
) -> Revision:
    """Take back what was set; 409 when nothing is."""
    made = end_override(conn, Target(declared.name, sensor, metric), why.reason, who.name)
    return Revision(revision=made)
