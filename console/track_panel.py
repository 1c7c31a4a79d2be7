"""The panel of a sensor's page that shows where it is and has been."""

from collections.abc import Callable
from typing import Any

from catalog.model import Stream
from console.frame import View, panel
from console.history import Row
from console.marks import state_mark
from console.track import Point
from console.widgets.city_map import CityMap

AROUND_KM = 3.0


def track_panel(view: View, declared: Stream) -> Callable[[Row, list[Point]], None]:
    """Show the map of a subject that moves; nothing for one that stands still."""
    if declared.position is None:
        return lambda known, points: None
    words = view.words
    with panel(words("sensor.track"), "map track"):
        city = CityMap(words)

    def show(known: Row, points: list[Point]) -> None:
        if known.get("lon") is None:
            return
        place = {"lon": known["lon"], "lat": known["lat"]}
        city.show(
            sensors=[_mark(view, known)],
            tracks=[[[p.lon, p.lat] for p in points]],
            focus=place | {"radius_km": AROUND_KM},
        )

    return show


def _mark(view: View, known: Row) -> dict[str, Any]:
    mark, words = state_mark(view.words, known["state"]), view.words
    return {
        "id": known["sensor"],
        **{"lon": known["lon"], "lat": known["lat"], "mark": mark["mark"]},
        "text": f"{mark['icon']} {mark['text']}".strip(),
        "title": words.pick(known["title_zh"], known["title_en"], known["sensor"]),
        "href": "",
    }
