"""Alerts of one place, and the incidents that they make, for the tests of incidents."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts.incident.queries import IncidentPage, Summary, get_incident, list_incidents
from alerts.routing.routes import read_routes
from catalog.contracts import Transition
from tests.support.alerting import START, Desk, of_sensor

POND = "waterlogging-510104-01"


def after(s: float, stream: str, rule: str, sensor: str, **other: Any) -> Transition:
    """Return an alert's transition ``s`` seconds after the start."""
    other.setdefault("n", 1)
    return of_sensor(stream, rule, sensor, observed_at=START + timedelta(seconds=s), **other)


def ponding(s: float, sensor: str = POND, **other: Any) -> Transition:
    return after(s, "waterlogging", "ponding", sensor, **other)


def silent(s: float, sensor: str, **other: Any) -> Transition:
    return after(s, sensor.rsplit("-", 2)[0].replace("-", "_"), "silent", sensor, **other)


def only(desk: Desk, **wanted: Any) -> Summary:
    (found,) = list_incidents(desk.conn, **wanted)
    return found


def page(desk: Desk, **wanted: Any) -> IncidentPage:
    return get_incident(desk.conn, only(desk, **wanted).id)


def acts(desk: Desk, incident: str) -> list[str]:
    return [a.act for a in get_incident(desk.conn, incident).timeline]


def notifying_each(desk: Desk, folder: Path) -> Desk:
    """Notify of each event by itself; how those of an incident gather is in test_causes.py."""
    file = folder / "each.toml"
    file.write_text("incident_interval_s = 0\n[route]\nreceivers = ['*']\n")
    desk.notifier.routes = read_routes(file)
    return desk
