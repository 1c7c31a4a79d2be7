"""Records: what their steps owe to receivers, and the alerts of clocks that have run out.

The steps lie in ``record_events`` in the order in which they were committed. Each is taken in one
transaction with what it owes, so that a restart tells nothing twice and forgets nothing.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from alerts.delivery.outbox import Address, Letter, load_addresses, put
from alerts.episode.episodes import Change, Origin, apply
from alerts.event.events import Area, Event, level_data
from alerts.event.labels import severity_name
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from alerts.sources.exercises import told_letters
from alerts.wake import wake_screens
from catalog.contracts import Transition
from catalog.errors import ConflictError, NotFoundError
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import RECORDS, overdue_rule, overdue_rules, records
from catalog.model import Severity
from catalog.site import site
from records.payload import headline, payload

PIECE = 50
PATTERN = re.compile(r"[a-z0-9_*?]{1,40}\.[a-z0-9_*?]{1,40}")
FORMATS = ("cityops", "cloudevents")
"""Formats that can hold a step; the others are made for alerts."""


class Line(BaseModel):
    """One step that is to be told, and the record as it is now."""

    seq: int
    record: int
    kind: str
    version: int
    at: datetime
    actor: str
    role: str
    move: str
    from_state: str
    to_state: str
    changes: dict[str, Any]
    reason: str
    note: str
    clocks: list[dict[str, Any]]
    fields: dict[str, Any]
    opened_at: datetime


_LINES = """
SELECT l.seq, l.record, l.kind, l.version, l.at, l.actor, l.role, l.move, l.from_state, l.to_state,
       l.changes, l.reason, l.note, l.clocks, r.fields, r.opened_at
FROM record_events e JOIN record_log l ON l.seq = e.seq JOIN records r ON r.id = l.record
ORDER BY e.seq LIMIT %s
"""


def notify_records(
    conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime
) -> int:
    """Tell subscribers of some steps, raise and clear what is overdue; return how many steps."""
    with conn.cursor(row_factory=class_row(Line)) as cursor:
        lines = cursor.execute(_LINES, [PIECE]).fetchall()
    if not lines:
        return 0
    wanted = _subscriptions(conn)
    addresses, letters = load_addresses(conn), list[Letter]()
    for line in lines:
        if record := records().get(line.kind):
            event = record_event(record, line, exercise=not settings.is_actual(RECORDS))
            letters += [
                Letter(address, f"record|{line.seq}", (event,))
                for address, patterns in wanted
                if any(fnmatchcase(event.type, pattern) for pattern in patterns)
            ]
            letters += told_letters(event, record, line.fields, addresses)
    put(conn, letters, notifier.links, now)
    changes = [change for line in lines for change in _overdue(conn, line)]
    settle(conn, changes, notifier, settings, now)
    conn.execute("DELETE FROM record_events WHERE seq = ANY(%s)", [[line.seq for line in lines]])
    wake_screens(conn)
    return len(lines)


def record_event(record: Record, line: Line, *, exercise: bool) -> Event:
    """Return what there is to tell of a step: type ``<record>.<move>``."""
    move = record.move(line.move)
    step = move.title if move else None
    title = headline(record, line.fields)
    severity = _severity(record, line)
    return Event(
        type=f"{record.name}.{line.move}",
        subject=f"{record.name}-{line.record}",
        at=line.at,
        firing=False,
        severity=severity,
        labels={
            "alertname": f"{record.name}.{line.move}",
            "rule": f"{record.name}.{line.move}",
            "domain": record.system,
            "district": str(line.fields.get("district") or ""),
            "severity": severity_name(severity),
            "origin": "cityops",
        },
        title_zh=f"{record.title.zh} {step.zh if step else line.move}",
        title_en=f"{record.title.en}: {step.en if step else line.move}",
        text_zh=title.zh,
        text_en=title.en,
        started_at=line.opened_at,
        area=_area(line.fields),
        exercise=exercise,
        data=payload(record, line.model_dump(), severity=level_data(severity), exercise=exercise),
    )


def subscribe(conn: Connection, receiver: str, patterns: list[str]) -> None:
    """Let a receiver get the steps whose types match; none = no steps any more."""
    address = load_addresses(conn).get(receiver)
    if address is None:
        raise NotFoundError(f"no receiver {receiver!r} is switched on")
    for pattern in patterns:
        if not PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern[:60]!r} is no pattern of steps; write e.g. case.*")
    if patterns and address.format not in FORMATS:
        raise ConflictError(f"steps of records go to receivers of format {' or '.join(FORMATS)}")
    with conn.transaction():
        conn.execute("DELETE FROM record_subscriptions WHERE receiver = %s", [address.id])
        for pattern in dict.fromkeys(patterns):
            conn.execute("INSERT INTO record_subscriptions VALUES (%s, %s)", [address.id, pattern])


def subscriptions(conn: Connection) -> dict[str, list[str]]:
    """Return what each receiver has asked for, by its name."""
    rows = conn.execute(
        "SELECT r.name, array_agg(s.pattern ORDER BY s.pattern) FROM record_subscriptions s"
        " JOIN receivers r ON r.id = s.receiver GROUP BY r.name ORDER BY r.name"
    ).fetchall()
    return dict(rows)


def _subscriptions(conn: Connection) -> list[tuple[Address, list[str]]]:
    addresses = load_addresses(conn)
    wanted = subscriptions(conn)
    return [(addresses[name], wanted[name]) for name in wanted if name in addresses]


def _overdue(conn: Connection, line: Line) -> list[Change]:
    """Return the alerts that begin or end with this step."""
    subject = f"{line.kind}-{line.record}"
    rules = overdue_rules()
    late = {
        overdue_rule(line.kind, clock["clock"])
        for clock in line.clocks
        if clock["overdue_at"] and not clock["stopped_at"]
    } & set(rules)
    known = conn.execute(
        "SELECT rule, id, severity FROM episodes WHERE stream = %s AND sensor = %s"
        " AND cleared_at IS NULL",
        [RECORDS, subject],
    ).fetchall()
    firing = {rule: (episode, severity) for rule, episode, severity in known}
    made: list[Change | None] = []
    for rule in sorted(late - set(firing)):
        severity = int(rules[rule].severity)
        raised = _transition(line, rule, "raised", f"{rule}-{line.record}-{line.seq}", severity)
        made.append(apply(conn, raised, _origin(line)))
    for rule in sorted(set(firing) - late):
        made.append(apply(conn, _transition(line, rule, "cleared", *firing[rule])))
    return [change for change in made if change]


def _origin(line: Line) -> Origin:
    record = records()[line.kind]
    title = headline(record, line.fields)
    labels = {"domain": record.system, "district": str(line.fields.get("district") or "")}
    return Origin(labels, {"description": f"{title.zh} {title.en}"}, None)


def _transition(line: Line, rule: str, kind: Any, episode: str, severity: int) -> Transition:
    return Transition(
        id=f"{episode}/{kind}/{line.seq}",
        episode=episode,
        rule=rule,
        stream=RECORDS,
        sensor=f"{line.kind}-{line.record}",
        kind=kind,
        severity=severity,
        previous=None if kind == "raised" else severity,
        observed_at=line.at,
        produced_at=line.at,
    )


def _severity(record: Record, line: Line) -> int:
    clock = record.clock(line.reason) if line.move == "overdue" else None
    return int((clock and clock.severity) or Severity.BLUE)


def _area(fields: Mapping[str, Any]) -> Area | None:
    code, lon, lat = (fields.get(name) for name in ("district", "lon", "lat"))
    district = site().districts.get(str(code))
    if district is None:
        return None
    address = fields.get("address") or ""
    return Area(
        lon=lon,
        lat=lat,
        district=str(code),
        zh=f"{district.title.zh}{address}",
        en=f"{address}, {district.title.en}" if address else district.title.en,
    )
