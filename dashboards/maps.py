"""Maps without tiles: the districts, rings and rivers below the sensors, names above them."""

import base64
import json
from typing import Any

from grafana_foundation_sdk.builders import common as build
from grafana_foundation_sdk.builders import dashboard as dash
from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import geomap as geomap_model

from catalog.severity import NORMAL_COLOUR
from catalog.shapes import geojson
from catalog.site import site
from dashboards.looks import level_mapping, level_steps, thresholds
from dashboards.texts import Lang

NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""A ground of one transparent point: no tile is ever asked for."""
GROUND_LAYER = {"type": "xyz", "name": "ground", "config": {"url": NOTHING, "attribution": ""}}
GROUND = {"district": ("#3A4753", 1), "ring": ("#56626D", 1), "river": ("#2F5D85", 2)}
PLACES = 4
ZOOM = 9.2


def sensor_map(lang: Lang, district: str) -> geomap.Panel:
    """Return a map of query A (sensors) above query B (districts).

    Both have ``lon, lat, level`` (state level of ``dash.states``); the column ``district`` of B is
    written on the map.
    """
    lon, lat = site().centre
    # fitted to what is on it, whatever the panel's shape; the rest only until the data is there
    view = geomap.MapViewConfig().id("fit").all_layers(True).padding(2)
    view.lat(lat).lon(lon).zoom(ZOOM)  # pyright: ignore[reportArgumentType]  # the SDK says int
    shapes = [_shape_layer(kind, *look) for kind, look in GROUND.items()]
    panel = (
        geomap.Panel()
        .view(view)
        .controls(geomap.ControlsOptions().show_zoom(True).mouse_wheel_zoom(False))
        .tooltip(geomap.TooltipOptions().mode(geomap_model.TooltipMode.DETAILS))
        .basemap(_layer("xyz", "ground", dict(GROUND_LAYER["config"])))
        .layers([*shapes, _districts(), _sensors(), _names(district)])
        .thresholds(thresholds(level_steps()))
        .color_scheme(dash.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .mappings([level_mapping(lang)])
    )
    return panel


def _sensors() -> build.MapLayerOptions:
    return _points("sensors", "A", {"size": _fixed(5), "opacity": 0.9}).tooltip(True)


def _districts() -> build.MapLayerOptions:
    """A pale disc in the colour of each district's state."""
    return _points("districts", "B", {"size": _fixed(13), "opacity": 0.3}).tooltip(True)


def _names(name: str) -> build.MapLayerOptions:
    """Names of districts in the colour of their state, above the sensors and clear of the disc."""
    look = {"size": _fixed(2), "opacity": 1, "text": {"mode": "field", "field": name}}
    return _points("names", "B", look).tooltip(False)


def _points(name: str, query: str, look: dict[str, Any]) -> build.MapLayerOptions:
    style = {
        "color": {"field": "level", "fixed": NORMAL_COLOUR},
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        "rotation": {"fixed": 0, "mode": "mod", "min": -360, "max": 360},
        "textConfig": {
            **{"fontSize": 13, "textAlign": "center", "textBaseline": "middle"},
            **{"offsetX": 0, "offsetY": -14},
        },
        **look,
    }
    layer = _layer("markers", name, {"showLegend": False, "style": style})
    where = build.FrameGeometrySource().longitude("lon").latitude("lat")
    layer.location(where.mode(common.FrameGeometrySourceMode.COORDS))
    return layer.filter_data({"id": "byRefId", "options": query})


def _fixed(pixels: int) -> dict[str, int]:
    return {"fixed": pixels, "min": 2, "max": 15}


def _shape_layer(kind: str, colour: str, thickness: int) -> build.MapLayerOptions:
    style = {
        "color": {"fixed": colour},
        "opacity": 0.12 if kind == "district" else 0.8,
        "lineWidth": thickness,
        "size": {"fixed": 1, "min": 1, "max": 1},
    }
    config = {"src": data_url(ground(kind)), "rules": [], "style": style}
    return _layer("geojson", kind, config).tooltip(False)


def _layer(kind: str, name: str, config: dict[str, Any]) -> build.MapLayerOptions:
    return build.MapLayerOptions().type(kind).name(name).config(config)


def ground(kind: str) -> dict[str, Any]:
    """Return the city's shapes of one kind as a GeoJSON collection with short coordinates."""
    shapes = [f for f in geojson()["features"] if f["properties"]["kind"] == kind]
    plain = [
        {
            "type": "Feature",
            "properties": {"id": f["id"]},
            "geometry": {
                "type": f["geometry"]["type"],
                "coordinates": _short(f["geometry"]["coordinates"]),
            },
        }
        for f in shapes
    ]
    return {"type": "FeatureCollection", "features": plain}


def data_url(item: dict[str, Any]) -> str:
    """Return JSON inside a URL, so that no server has to hold the file."""
    text = json.dumps(item, separators=(",", ":"), sort_keys=True)
    return f"data:application/json;base64,{base64.b64encode(text.encode()).decode()}"


def _short(item: Any) -> Any:
    return [_short(i) for i in item] if isinstance(item, (list, tuple)) else round(item, PLACES)
