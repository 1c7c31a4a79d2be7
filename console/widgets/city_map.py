"""The city as shapes from the catalog, sensors as marks; drawn by ECharts, without tiles."""

from typing import Any, Literal

from nicegui.element import Element
from nicegui.elements.echart import EChart

from console.texts import Words

ECHARTS_LIBRARY = EChart.component  # its import registers the library that city_map.js uses
View = Literal["city", "centre"]
GEOJSON_URL = "/api/v1/city.geojson"


class CityMap(Element, component="city_map.js"):
    """Districts, rings, rivers, clustered sensors, and areas of incidents.

    | prop | each |
    |---|---|
    | sensors | ``id, lon, lat, mark, text, title, href`` |
    | districts | ``id, mark, text`` (abnormal ones are tinted) |
    | areas | ``lon, lat, radius_km, mark, text, href`` |
    | tracks | lists of ``[lon, lat]``: where something has been |
    """

    def __init__(self, words: Words, *, view: View = "city", still: bool = False) -> None:
        super().__init__()
        self._props["url"] = GEOJSON_URL
        self._props["language"] = words.language
        self._props["view"] = view
        self._props["still"] = still
        self._props["label"] = words("map.title")
        self._props["more"] = words("map.more")
        self._props["focus"] = None
        for name in ("sensors", "districts", "areas", "tracks"):
            self._props[name] = []

    def show(self, **given: Any) -> None:
        """Show the props above; ``focus`` is ``lon, lat, radius_km``.

        Sends only what has changed.
        """
        changed = {name: rows for name, rows in given.items() if rows != self._props[name]}
        if changed:
            self._props.update(changed)
            self.update()

    def look_at(self, view: View) -> None:
        """Show the whole city or its centre."""
        self._props["view"] = view
        self.update()
