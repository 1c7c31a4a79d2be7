"""Rows of the ``dash`` functions as table rows and map marks, the same on every page."""

from collections.abc import Sequence
from html import escape
from typing import Any

from alerts.episode.models import Alert
from alerts.event.events import whole_stream
from alerts.event.reasons import REASONS
from alerts.incident.queries import Summary
from catalog.group_names import group_title
from catalog.joint import GROUPS
from catalog.lifecycle.registry import RECORDS
from catalog.model import STREAM_SUBJECT
from catalog.platform import PLATFORM, PLATFORM_TITLE
from catalog.registry import streams
from catalog.site import site
from console.live import Row
from console.marks import level_mark, number, response_mark, state_mark
from console.roles import Principal, Role
from console.texts import Words

AREA_KM = 3.0
NAMED_DISTRICTS = 3


def alert_row(words: Words, row: Row, who: Principal) -> dict[str, Any]:
    """Return a row of the alert table."""
    level = level_mark(words, row["severity"])
    title = words.pick(row["title_zh"], row["title_en"], row["rule"])
    names = {"title_zh": row["sensor_zh"], "title_en": row["sensor_en"]}
    where = where_title(words, row["stream"], row["sensor"], names | {"district": row["district"]})
    return {
        "id": row["episode"],
        "mark": level["mark"],
        "level": level,
        "title": {"text": title, "href": f"/alerts/{row['episode']}", "sub": where},
        "sensor": where,
        "district": district_title(words, row["district"]),
        "value": number(words, row["value"], row["unit"], row["decimals"]),
        "raised": row["raised_at"].isoformat(),
        "acked": row["acked_by"] or "",
        "act": [{"act": "ack", "text": words("alerts.take"), "look": "strong"}]
        if row["acked_at"] is None and who.may(Role.OPERATOR)
        else [],
    }


def subject_link(words: Words, stream: str, sensor: str, names: Row) -> dict[str, str]:
    """Return a link to what an alert is of: its sensor, its whole stream, or the platform.

    ``names`` holds ``title_zh`` and ``title_en`` of the sensor if it is known.
    """
    if stream == PLATFORM:
        return {"text": words.of(PLATFORM_TITLE), "href": "/quality"}
    if stream == RECORDS:
        return {"text": sensor, "href": f"/records/{sensor.rpartition('-')[0]}/{sensor}"}
    if stream == GROUPS:
        return {"text": words.of(group_title(sensor)), "href": f"/alerts?sensor={sensor}"}
    declared = streams().get(stream)
    if sensor == STREAM_SUBJECT and declared:
        return {"text": words.of(whole_stream(declared)), "href": f"/streams/{stream}"}
    name = words.pick(names.get("title_zh"), names.get("title_en"), sensor)
    return {"text": name, "href": f"/sensors/{stream}/{sensor}"}


def where_title(words: Words, stream: str, sensor: str, names: Row) -> str:
    """Return where an alert is: what its sensor is called, with the district if that lacks it."""
    name = subject_link(words, stream, sensor, names)["text"]
    district = district_title(words, names.get("district"))
    if not district and sensor != STREAM_SUBJECT and stream in streams():
        return words("sensors.unplaced", name=name)
    return name if not district or district in name else f"{district} {name}"


def where_link(words: Words, stream: str, sensor: str, names: Row) -> dict[str, str]:
    """Return the same as a link to the sensor."""
    link = subject_link(words, stream, sensor, names)
    return link | {"text": where_title(words, stream, sensor, names)}


def check_title(words: Words, test: str) -> str:
    """Return the name of a quality test, or of the relation between metrics that was broken."""
    broken = (r.title for s in streams().values() for r in s.relations if r.name == test)
    named = next(broken, None)
    return words.of(named) if named else words.code("check", test)


def alert_status(words: Words, alert: Alert) -> str:
    """Return in words whether an alert is active, to be acknowledged, or over."""
    text = words(f"alerts.status_{alert.status}")
    if alert.reason:
        known = [REASONS.get(name) for name in alert.reason.split(",")]
        reason = " / ".join(words.of(r) for r in known if r)
        how = "withdrawn" if alert.status == "withdrawn" else alert.confidence
        # of a sensor that is silent, and of what did not end by itself, it says why
        plain = how == "confirmed" or not alert.metric
        text += " · " + (reason if plain else words(f"alerts.{how}", reason=reason))
    return f"{text} · {words('alerts.flapping')}" if alert.flapping else text


def district_title(words: Words, code: str | None) -> str:
    """Return a district's name; the code itself when the catalog does not know it."""
    known = site().districts.get(code or "")
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
    """Return incidents that lie somewhere as areas of the map; one of the whole city has none."""
    return [
        {
            "lon": i.lon,
            "lat": i.lat,
            "radius_km": i.declared.radius_km if i.declared.place == "near" else AREA_KM,
            "mark": level_mark(words, i.severity)["mark"],
            "text": incident_title(words, i),
            "href": f"/incidents/{i.id}",
        }
        for i in found
        if i.lon is not None and i.declared.place != "city"
    ]


def incident_title(words: Words, incident: Summary) -> str:
    """Return what an incident is and where."""
    return f"{words.of(incident.title)} · {incident_place(words, incident)}".rstrip(" ·")


def incident_place(words: Words, incident: Summary) -> str:
    """Return the district an incident lies in; the city where it is of all of it.

    A parent lies where its children are: districts by name, or how many when these are too many.
    """
    if incident.districts:
        if len(incident.districts) > NAMED_DISTRICTS:
            return words("incidents.districts", count=len(incident.districts))
        return words("incidents.and").join(district_title(words, d) for d in incident.districts)
    whole = incident.declared.place == "city"
    return words.of(site().title) if whole else district_title(words, incident.district)


def unplaced_chip(words: Words, sensors: Sequence[Row]) -> str:
    """Return a link in HTML to the sensors that stand on no map; "" when all do."""
    count = sum(row["lon"] is None for row in sensors)
    if not count:
        return ""
    text = f"? {words('register.unplaced', count=count)}"
    return f'<a class="badge chip mark-stale" href="/sensors?registered=provisional">{text}</a>'


def incident_chips(words: Words, found: Sequence[Summary]) -> str:
    """Return open incidents as links in HTML, the worst first; what a map cannot be asked for."""
    chips = []
    for incident in found:
        mark = response_mark(words, incident.severity)
        sure = "" if incident.confirmed_at else words("incidents.maybe")
        text = f"{mark['text']} {incident_title(words, incident)}{sure}"
        edge = level_mark(words, incident.severity)["mark"]
        chips.append(
            f'<a class="badge chip mark-{edge}" href="/incidents/{escape(incident.id)}">'
            f"{escape(text)} {incident.firing}/{incident.alerts}</a>"
        )
    return "".join(chips)
