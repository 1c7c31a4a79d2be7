"""GTFS Realtime ServiceAlerts: what records and closures tell the public (v2.0, FULL_DATASET)."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from google.transit import gtfs_realtime_pb2 as pb
from psycopg import Connection
from psycopg.rows import dict_row

from catalog.base import Text, text
from catalog.feed import ClosureAlerts, GtfsAlerts, Kind, RecordAlerts, severity_word
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.network import networks
from storage.networks import live_of

MEDIA_TYPE = "application/x-protobuf"
VERSION = "2.0"
MOST = 5000
LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Told:
    """One alert; ``id`` is the same as long as it is the same."""

    id: str
    since: int
    kind: Kind
    severity: str
    header: Text
    description: Text


def alerts(conn: Connection, shows: GtfsAlerts, now: datetime) -> list[Told]:
    """Return what there is to tell, in the order of ids."""
    found: dict[str, Told] = {}
    for view in shows.of:
        made = _records(conn, view) if isinstance(view, RecordAlerts) else _closures(conn, view)
        found |= {told.id: told for told in made}
    return [found[id] for id in sorted(found)]


def content(told: list[Told]) -> bytes:
    """Return what is told, without the time of telling."""
    return json.dumps([asdict(one) for one in told], default=lambda m: m.model_dump()).encode()


def message(shows: GtfsAlerts, told: list[Told], now: datetime) -> bytes:
    """Return the feed message."""
    feed = pb.FeedMessage()
    feed.header.gtfs_realtime_version = VERSION
    feed.header.incrementality = pb.FeedHeader.FULL_DATASET
    feed.header.timestamp = int(now.timestamp())
    for one in told:
        entity = feed.entity.add(id=one.id)
        alert = entity.alert
        alert.active_period.add(start=one.since)
        alert.informed_entity.add(agency_id=shows.agency)
        alert.cause = pb.Alert.Cause.Value(one.kind.cause)
        alert.effect = pb.Alert.Effect.Value(one.kind.effect)
        alert.severity_level = pb.Alert.SeverityLevel.Value(one.severity)
        _say(alert.header_text, one.header)
        _say(alert.description_text, one.description)
    return feed.SerializeToString(deterministic=True)


def _say(into: Any, words: Text) -> None:
    for language, said in zip(LANGUAGES, (words.zh, words.en), strict=True):
        into.translation.add(text=said, language=language)


def _records(conn: Connection, view: RecordAlerts) -> list[Told]:
    record = records()[view.record]
    query = (
        "SELECT id, state, fields, opened_at FROM records WHERE kind = %s AND state = ANY(%s)"
        " AND closed_at IS NULL ORDER BY id DESC LIMIT %s"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query, [view.record, list(view.states), MOST]).fetchall()
    return [_record(record, view, row) for row in rows if row["fields"].get(view.by) in view.kinds]


def _record(record: Record, view: RecordAlerts, row: dict[str, Any]) -> Told:
    fields = row["fields"]
    by = record.field(view.by)
    choice = by.choice(fields[view.by]) if by else None
    header = choice.title if choice else record.title
    severe = view.severe is not None and fields.get(view.severe[0]) in view.severe[1]
    return Told(
        id=f"{record.name}-{row['id']}",
        since=int(row["opened_at"].timestamp()),
        kind=view.kinds[fields[view.by]],
        severity="SEVERE" if severe else "WARNING",
        header=header,
        description=_description(record, header, fields, row["state"]),
    )


def _description(record: Record, header: Text, fields: dict[str, Any], state: str) -> Text:
    """Return header, state and public words of a record; nothing that is not public."""
    shown, said = [header], record.state(state)
    shown.append(said.public or said.title)
    for field in record.all_fields:
        value = fields.get(field.name)
        if not field.public or field.kind not in ("text", "choice") or not value:
            continue
        if field.name == "district":
            continue
        choice = field.choice(value)
        words = choice.title if choice else text(str(value), str(value))
        if words != header:
            shown.append(words)
    return text("，".join(w.zh for w in shown), ", ".join(w.en for w in shown))


def _closures(conn: Connection, view: ClosureAlerts) -> list[Told]:
    live = live_of(conn, networks()[view.network])
    closing = sorted({id for those in live.closed.values() for id in those})
    query = (
        "SELECT e.id, e.severity, e.raised_at, s.title_zh, s.title_en, s.sensor FROM episodes e"
        " JOIN sensors s ON (s.stream, s.sensor) = (e.stream, e.sensor)"
        " WHERE e.id = ANY(%s) AND s.status = 'registered'"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query, [closing]).fetchall()
    return [
        Told(
            id=f"closure-{row['id']}",
            since=int(row["raised_at"].timestamp()),
            kind=view.kind,
            severity=severity_word(row["severity"]),
            header=view.what,
            description=text(
                f"{row['title_zh'] or row['sensor']}：{view.what.zh}",
                f"{row['title_en'] or row['sensor']}: {view.what.en}",
            ),
        )
        for row in rows
    ]
