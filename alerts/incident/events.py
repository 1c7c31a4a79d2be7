"""What there is to tell of an incident."""

from datetime import datetime
from typing import Any, Literal

from psycopg import Connection

from alerts.event.events import Area, Event, level_data, sensor_data
from alerts.event.labels import sensor_of, severity_name
from alerts.incident.queries import Incident, Member, members_of, tasks_of
from alerts.settings import AlertSettings
from catalog.model import Severity, Text, text
from catalog.severity import LEVELS
from catalog.site import site

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
MOST = 50
"""A body lists so many alerts as evidence; ``alerts`` counts all."""


def incident_event(
    conn: Connection,
    incident: Incident,
    kind: str,
    settings: AlertSettings,
    now: datetime,
    more: dict[str, Any] | None = None,
) -> Event:
    """Return an event of an incident as it is now; ``kind`` is confirmed, changed, resolved …"""
    declared, members = incident.declared, members_of(conn, incident.id)
    exercise = not all(settings.is_actual(m.stream) for m in members)
    roman = LEVELS[Severity(incident.severity)].roman
    firing = sum(m.cleared_at is None for m in members)
    name, place = f"incident.{incident.kind}", place_of(incident)
    district = site().code if declared.place == "city" else incident.district
    tasks = [t for t in tasks_of(conn, incident) if t.done_at is None]
    where = {tag: _places(place, incident, members, tag) for tag in LANGUAGES}
    data = {
        "id": incident.id,
        "revision": _revision(conn, incident),
        "kind": incident.kind,
        "title": declared.title.model_dump(),
        "status": incident.status,
        "severity": level_data(incident.severity),
        "peak_severity": incident.peak_severity,
        "place": place.model_dump(),
        "district": district,
        "opened_at": incident.opened_at.isoformat(),
        "alerts": len(members),
        "firing": firing,
        "evidence": [_evidence(m) for m in members[:MOST]],
        "plan": declared.plan.model_dump(),
        "tasks": [t.title.model_dump() for t in tasks],
        "similar": incident.similar_id,
        "merged_into": incident.merged_into,
        "parent": incident.parent,
        "exercise": exercise,
    }
    return Event(
        type=f"incident.{kind}",
        subject=incident.id,
        at=now,
        firing=incident.resolved_at is None,
        severity=incident.severity,
        labels={
            "alertname": name,
            "rule": name,
            "incident": incident.kind,
            "domain": declared.domain,
            "district": district,
            "sensor": incident.root_sensor,
            "severity": severity_name(incident.severity),
            "origin": "cityops",
        },
        title_zh=f"{declared.title.zh} {roman} 级应急响应",
        title_en=f"{declared.title.en}, response level {roman}",
        text_zh=f"{where['zh']} · {firing}/{len(members)} 条告警 · {declared.plan.zh}",
        text_en=f"{where['en']} · {firing}/{len(members)} alerts · {declared.plan.en}",
        started_at=incident.opened_at,
        ended_at=incident.resolved_at,
        area=_area(incident),
        exercise=exercise,
        data=data | (more or {}),
    )


def place_of(incident: Incident) -> Text:
    """Return where it is, in words: the city, a district, or what it hangs on."""
    if incident.declared.place == "city":
        return site().title
    known = site().districts.get(incident.district)
    district = known.title if known else text(incident.district, incident.district)
    if incident.declared.place == "topology":
        root = incident.root_sensor
        return text(f"{district.zh} {root}".strip(), f"{district.en} {root}".strip())
    return district if incident.district else text(incident.root_sensor, incident.root_sensor)


def _places(place: Text, incident: Incident, members: list[Member], language: Language) -> str:
    """Return where it is; of a parent with the districts in which its children are."""
    own = getattr(place, language)
    if not incident.declared.gathers:
        return own
    found = [sensor_of(m.stream, m.sensor) for m in members if m.role == "trigger"]
    codes = dict.fromkeys(s.district for s in found if s and s.district in site().districts)
    names = [getattr(site().districts[code].title, language) for code in codes]
    joined = ("、" if language == "zh" else ", ").join(names)
    return (f"{own}（{joined}）" if language == "zh" else f"{own} ({joined})") if names else own


def _revision(conn: Connection, incident: Incident) -> int:
    """Return the number of the newest line of its timeline: each change has its own."""
    row = conn.execute(
        "SELECT max(id) FROM incident_acts WHERE incident = %s", [incident.id]
    ).fetchone()
    return (row[0] if row else None) or 0


def _evidence(member: Member) -> dict[str, Any]:
    return {
        "episode": member.episode,
        "role": member.role,
        "folded": member.folded,
        "rule": member.rule,
        "sensor": sensor_data(sensor_of(member.stream, member.sensor), member.sensor),
        "severity": member.severity,
        "value": member.value,
        "raised_at": member.raised_at.isoformat(),
        "firing": member.cleared_at is None,
    }


def _area(incident: Incident) -> Area | None:
    if incident.declared.place == "city":
        return Area(district=site().code, zh=site().title.zh, en=site().title.en)
    if incident.lon is None or incident.lat is None or incident.district not in site().districts:
        return None
    title = site().districts[incident.district].title
    return Area(
        lon=incident.lon, lat=incident.lat, district=incident.district, zh=title.zh, en=title.en
    )
