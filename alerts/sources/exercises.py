"""Exercises: records whose steps receivers are told of by the real way, and how they answer.

The database keeps these messages in the exercise channel; see migration 0013.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from alerts.delivery.outbox import Address, Letter
from alerts.event.events import Event, level_data
from alerts.event.labels import severity_name
from catalog.lifecycle.record import Record, Told
from records.payload import shown


class Performance(BaseModel):
    """How one receiver did: seconds from delivery to each step; None = it did not happen."""

    receiver: str
    delivered_at: datetime | None
    received_s: float | None
    accepted_s: float | None
    on_site_s: float | None
    done_s: float | None


class InSum(BaseModel):
    """How all receivers of one exercise did: how many were told, answered, and how fast."""

    record: int
    told: int
    delivered: int
    accepted: int
    accepted_p50_s: float | None
    accepted_max_s: float | None


def told_letters(
    event: Event, record: Record, fields: Mapping[str, object], addresses: dict[str, Address]
) -> list[Letter]:
    """Return what receivers of an exercise get of a step whose own event this is."""
    told = record.told
    if told is None or event.data["move"] not in told.events:
        return []
    event, receivers = _told(event, record, told, fields), fields.get(told.receivers)
    crew = {n: a for n, a in addresses.items() if a.channel == "exercise"}
    names: Sequence[str] = receivers if isinstance(receivers, list) else list(crew)
    return [
        Letter(
            crew[name],
            str(event.data["id"]),
            (event,),
            channel="exercise",
            drill=int(event.subject.rsplit("-", 1)[1]),
        )
        for name in names
        if name in crew
    ]


def _told(event: Event, record: Record, told: Told, fields: Mapping[str, object]) -> Event:
    """Return a step as its receivers are told of it: marked as an exercise, with its level."""
    move, final = str(event.data["move"]), record.state(str(event.data["to"])).final
    name, *more = (shown(f, fields[n]) for n in record.headline if (f := record.field(n)))
    severity = int(str(fields[told.severity]))
    zh, en = " ".join(part.zh for part in more), " ".join(part.en for part in more)
    return msgspec.structs.replace(
        event,
        type=f"{record.name}.{told.events[move]}",
        firing=not final,
        severity=severity,
        labels=event.labels | {"alertname": record.name, "severity": severity_name(severity)},
        title_zh=f"{record.title.zh} {name.zh}",
        title_en=f"{record.title.en}: {name.en}",
        text_zh=f"这是{record.title.zh}。{zh}",
        text_en=f"This is a {record.title.en.lower()}. {en}",
        ended_at=event.at if final else None,
        exercise=True,
        data=event.data | {"severity": level_data(severity), "exercise": True},
    )


def performances(conn: Connection, record: int) -> list[Performance]:
    """Return how fast each receiver of an exercise answered."""
    with conn.cursor(row_factory=class_row(Performance)) as cursor:
        return cursor.execute(_EACH, [record]).fetchall()


def in_sum(conn: Connection, ids: Sequence[int]) -> dict[int, InSum]:
    """Return how all receivers did, by exercise; only of those that were told."""
    with conn.cursor(row_factory=class_row(InSum)) as cursor:
        return {row.record: row for row in cursor.execute(_ALL, [list(ids)]).fetchall()}


_EACH = """
SELECT r.name AS receiver, o.first_delivered_at AS delivered_at,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'received')
               - o.first_delivered_at)::float8 AS received_s,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'accepted')
               - o.first_delivered_at)::float8 AS accepted_s,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'on_site')
               - o.first_delivered_at)::float8 AS on_site_s,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'done')
               - o.first_delivered_at)::float8 AS done_s
FROM outbox o JOIN receivers r ON r.id = o.receiver
JOIN outbox_subjects s ON s.outbox = o.id
LEFT JOIN responses p ON p.subject = s.subject AND p.receiver = r.name
WHERE o.drill = %s AND o.kind = 'started' GROUP BY r.name, o.first_delivered_at ORDER BY r.name
"""
_ALL = """
SELECT record, count(*) AS told, count(delivered_at) AS delivered, count(accepted_s) AS accepted,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY accepted_s) AS accepted_p50_s,
       max(accepted_s) AS accepted_max_s
FROM (SELECT o.drill AS record, o.first_delivered_at AS delivered_at,
             extract(epoch FROM min(p.at) - o.first_delivered_at)::float8 AS accepted_s
      FROM outbox o JOIN receivers r ON r.id = o.receiver
      JOIN outbox_subjects s ON s.outbox = o.id
      LEFT JOIN responses p ON p.subject = s.subject AND p.receiver = r.name
          AND p.step <> 'received'
      WHERE o.drill = ANY(%s) AND o.kind = 'started' GROUP BY o.id) one
GROUP BY record
"""
