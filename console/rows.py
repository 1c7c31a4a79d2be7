"""Rows of the ``dash`` functions as table rows and map marks, the same on every page."""

from collections.abc import Sequence
from typing import Any

from alerts.incident_store import Summary
from alerts.store import Alert
from catalog.city.districts import DISTRICTS
from console.live import Row
from console.marks import level_mark, number, state_mark
from console.roles import Principal, Role
from console.texts import Words

AREA_KM = 3.0


def alert_row(words: Words, row: Row, who: Principal) -> dict[str, Any]:
    """Return a row of the alert table."""
    level = level_mark(words, row["severity"])
    title = words.pick(row["title_zh"], row["title_en"], row["rule"])
    return {
        "id": row["episode"],
        "mark": level["mark"],
        "level": level,
        "title": {"text": title, "href": f"/alerts/{row['episode']}"},
        "sensor": words.pick(row["sensor_zh"], row["sensor_en"], row["sensor"]),
        "district": district_title(words, row["district"]),
        "value": number(words, row["value"], row["unit"], row["decimals"]),
        "raised": row["raised_at"].isoformat(),
        "acked": row["acked_by"] or "",
        "act": [{"act": "ack", "text": words("alerts.ack"), "look": "strong"}]
        if row["acked_at"] is None and who.may(Role.OPERATOR)
        else [],
    }


def alert_status(words: Words, alert: Alert) -> str:
    """Return in words whether an alert is active, to be acknowledged, or over."""
    text = words(f"alerts.status_{alert.status}")
    return f"{text} · {words('alerts.flapping')}" if alert.flapping else text


def district_title(words: Words, code: str | None) -> str:
    """Return a district's name; the code itself when the catalog does not know it."""
    known = DISTRICTS.get(code or "")
    return words.of(known.title) if known else code or ""


def sensor_link(words: Words, row: Row) -> dict[str, str]:
    """Return a link to a sensor's page."""
    name = words.pick(row["title_zh"], row["title_en"], row["sensor"])
    return {"text": name, "href": f"/sensors/{row['stream']}/{row['sensor']}"}


def sensor_mark(words: Words, row: Row) -> dict[str, Any]:
    """Return a sensor as a mark on the map."""
    state = state_mark(words, row["state"])
    value = number(words, row["value"], row["unit"], row["decimals"])
    shown = f" {value['text']} {value['unit']}" if value else ""
    return {
        "id": f"{row['stream']}/{row['sensor']}",
        "lon": row["lon"],
        "lat": row["lat"],
        "mark": row["state"],
        "text": f"{state['icon']} {state['text']}",
        "title": words.pick(row["title_zh"], row["title_en"], row["sensor"]) + shown,
        "href": f"/sensors/{row['stream']}/{row['sensor']}",
    }


def district_mark(row: Row) -> dict[str, Any]:
    """Return a district as a shape on the map."""
    return {"id": row["district"], "mark": row["worst"], "lon": row["lon"], "lat": row["lat"]}


def incident_areas(words: Words, found: Sequence[Summary]) -> list[dict[str, Any]]:
    """Return incidents as areas of the map."""
    return [
        {
            "lon": i.lon,
            "lat": i.lat,
            "radius_km": AREA_KM,
            "mark": level_mark(words, i.severity)["mark"],
            "text": words.of(i.title),
            "href": f"/incidents/{i.id}",
        }
        for i in found
        if i.lon is not None
    ]
