"""What the city is: schematic shapes for maps."""

from typing import Any

from fastapi import APIRouter

from catalog.shapes import geojson
from console.auth import Viewer

router = APIRouter(tags=["city"])


@router.get("/city.geojson")
def city_geojson(who: Viewer) -> dict[str, Any]:
    """Return districts (Polygon), rings and rivers (LineString), WGS-84, schematic."""
    return geojson()
