"""Find incidents, alerts, sensors and streets by one text, in either language."""

from dataclasses import dataclass

from psycopg import Connection

from alerts.episode.models import Alert, AlertFilter
from alerts.episode.queries import find_alerts
from alerts.incident.queries import Summary, list_incidents
from catalog.incident import incident_kinds
from catalog.model import Text
from catalog.registry import streams
from catalog.site import site
from console import registry
from console.registry import Row

MOST = 50
RECENT = 2000
"""So many of the newest incidents and alerts are looked through."""


@dataclass(frozen=True, slots=True)
class Found:
    """What fits a text, the most urgent first; a street is (district, name, its sensors)."""

    incidents: list[Summary]
    alerts: list[Alert]
    sensors: list[Row]
    streets: list[tuple[str, str, int]]


def find(conn: Connection, text: str) -> Found:
    """Return what fits every word of a text: ``积水 武侯`` finds ponding in Wuhou."""
    parts = [part.lower() for part in text.split()]
    register = registry.everywhere(conn)
    by_key = {(row["stream"], row["sensor"]): row for row in register}
    return Found(
        [i for i in list_incidents(conn, state="all", limit=RECENT) if _fits(parts, _incident(i))][
            :MOST
        ],
        [a for a in _alerts(conn) if _fits(parts, _alert(a, by_key))][:MOST],
        registry.states_of(
            conn, [k for k, row in by_key.items() if _fits(parts, _sensor(row))], MOST
        ),
        _streets(register, parts),
    )


def _alerts(conn: Connection) -> list[Alert]:
    """Return open alerts, the worst first, then the newest others."""
    found = find_alerts(conn, AlertFilter(limit=RECENT))
    known = {alert.id for alert in found}
    newest = find_alerts(conn, AlertFilter(state="all", limit=RECENT))
    return found + [alert for alert in newest if alert.id not in known]


def _fits(parts: list[str], texts: list[str]) -> bool:
    whole = "\n".join(texts).lower()
    return all(part in whole for part in parts)


def _both(title: Text | None) -> list[str]:
    return [title.zh, title.en] if title else []


def _district(code: str | None) -> list[str]:
    known = site().districts.get(code or "")
    return _both(known.title) if known else []


def _stream(name: str) -> list[str]:
    declared = streams().get(name)
    return [name, *_both(declared.title if declared else None)]


def _sensor(row: Row) -> list[str]:
    own = [row["sensor"], row["title_zh"], row["title_en"], row["street"] or ""]
    return own + _district(row["district"]) + _stream(row["stream"])


def _alert(alert: Alert, register: dict[tuple[str, str], Row]) -> list[str]:
    place = register.get((alert.stream, alert.sensor))
    own = [alert.id, alert.rule, *alert.titles, alert.assignee or "", alert.acked_by or ""]
    return own + (_sensor(place) if place else [alert.sensor, *_stream(alert.stream)])


def _incident(incident: Summary) -> list[str]:
    declared = incident_kinds()[incident.kind]
    own = [incident.id, *_both(incident.title), *_both(declared.plan), incident.root_sensor]
    return own + ([] if declared.place == "city" else _district(incident.district))


def _streets(register: list[Row], parts: list[str]) -> list[tuple[str, str, int]]:
    """Return streets that fit, with how many sensors stand there; a district alone as well."""
    counted: dict[tuple[str, str], int] = {}
    for row in register:
        if row["district"] in site().districts:
            for street in {row["street"] or "", ""}:
                key = (row["district"], street)
                counted[key] = counted.get(key, 0) + 1
    found = [
        (code, street, count)
        for (code, street), count in counted.items()
        if _fits(parts, [street] if street else _district(code))
    ]
    return sorted(found, key=lambda item: -item[2])[:MOST]
