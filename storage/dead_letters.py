"""Find, show and discard dead letters; ``storage.redrive`` sends them through the gateway again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from catalog.base import Text, text
from catalog.frames import metrics_of
from catalog.registry import streams

Status = Literal["open", "redriven", "discarded"]
HEAD_BYTES = 48

_SUMMARY = (
    "SELECT id, at, stream, stage, code, reason, jsonb_array_length(readings) AS readings,"
    " octet_length(payload) AS payload_bytes, dataschema, source, topic, partition,"
    ' "offset", status, redriven_at FROM dead_letters'
)
_MATCH = (
    " WHERE (%(status)s::text IS NULL OR status = %(status)s)"
    " AND (%(ids)s::text[] IS NULL OR id = ANY(%(ids)s))"
    " AND (%(code)s::text IS NULL OR code = %(code)s)"
    " AND (%(stream)s::text IS NULL OR stream = %(stream)s)"
    " AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which dead letters are meant: every given condition holds; ``status`` None means any."""

    ids: tuple[str, ...] = ()
    code: str | None = None
    stream: str | None = None
    since: datetime | None = None
    limit: int | None = None
    status: Status | None = "open"

    @property
    def is_everything(self) -> bool:
        """Tell whether neither ids nor a filter narrow it."""
        return not (self.ids or self.code or self.stream or self.since)

    def parameters(self) -> dict[str, Any]:
        """Return the values of the SQL conditions."""
        return {
            "ids": list(self.ids) or None,
            "code": self.code,
            "stream": self.stream,
            "since": self.since,
            "limit": self.limit,
            "status": self.status,
        }


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter without its content: ``readings`` counts, ``payload_bytes`` is a size.

    ``topic``, ``partition`` and ``offset`` are the place in the Kafka log it was stored from.
    """

    id: str
    at: datetime
    stream: str
    stage: str
    code: str
    reason: str
    readings: int
    payload_bytes: int | None
    dataschema: str = ""
    source: str
    topic: str | None
    partition: int | None
    offset: int | None
    status: Status
    redriven_at: datetime | None


class Content(msgspec.Struct, frozen=True):
    """What a dead letter keeps: JSON readings, the head of the raw bytes."""

    readings: list[dict[str, Any]]
    payload_head: bytes | None


def find(conn: Connection, wanted: Selection) -> list[Summary]:
    """Return the newest matching letters, newest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            _SUMMARY.encode() + _MATCH.encode() + b" ORDER BY at DESC, id LIMIT %(limit)s",
            wanted.parameters(),
        )
        return [Summary(**row) for row in cursor]


def count(conn: Connection, wanted: Selection) -> int:
    """Return how many letters match, whatever the limit."""
    query = b"SELECT count(*) FROM dead_letters" + _MATCH.encode()
    row = conn.execute(query, wanted.parameters()).fetchone()
    return row[0] if row else 0


def ids_oldest_first(conn: Connection, wanted: Selection) -> list[str]:
    """Return the ids of matching letters in the order they came."""
    query = b"SELECT id FROM dead_letters" + _MATCH.encode() + b" ORDER BY at, id LIMIT %(limit)s"
    return [id for (id,) in conn.execute(query, wanted.parameters())]


def unknown_ids(conn: Connection, ids: tuple[str, ...]) -> list[str]:
    """Return those of ``ids`` that no dead letter has."""
    found = ids_oldest_first(conn, Selection(ids=ids, status=None)) if ids else []
    return sorted(set(ids) - set(found))


def content(conn: Connection, id: str) -> Content | None:
    """Return what the letter keeps, of the raw bytes only the head."""
    row = conn.execute(
        "SELECT readings, substring(payload FROM 1 FOR %s) FROM dead_letters WHERE id = %s",
        [HEAD_BYTES, id],
    ).fetchone()
    return Content(*row) if row else None


def original(conn: Connection, id: str) -> bytes:
    """Return the raw bytes of a letter, or its readings as a request body for the gateway."""
    row = conn.execute("SELECT payload, readings FROM dead_letters WHERE id = %s", [id]).fetchone()
    if row is None:
        return b""
    payload, readings = row
    return payload if payload is not None else request_body(readings)


def request_body(readings: list[dict[str, Any]]) -> bytes:
    """Return readings as the gateway takes them."""
    return msgspec.json.encode({"readings": readings})


def discard(conn: Connection, wanted: Selection) -> int:
    """Mark the matching open letters discarded; return how many. Their rows stay for the record."""
    chosen = ids_oldest_first(conn, wanted)
    done = conn.execute(
        "UPDATE dead_letters SET status = 'discarded' WHERE id = ANY(%s) AND status = 'open'",
        [chosen],
    )
    return done.rowcount


def is_redrivable(letter: Summary) -> bool:
    """Tell whether the gateway could take it: open, with readings or a frame of a schema that is
    known now, of a stream, not a conflict."""
    known = letter.stream in streams() and (letter.readings > 0 or _is_known_now(letter))
    return known and letter.status == "open" and letter.code != "conflict"


def _is_known_now(letter: Summary) -> bool:
    """Tell whether a frame that was of an unknown version is of a known one since."""
    unread = letter.code == "schema_version" and letter.payload_bytes
    return bool(unread and metrics_of(streams()[letter.stream], letter.dataschema))


def way_out(letter: Summary) -> Text:
    """Return in one sentence what can be done about a letter."""
    command = "python -m storage dead-letters"
    discard, show = f"{command} discard {letter.id}", f"{command} show {letter.id} --to-file FILE"
    if letter.status != "open":
        return text("无需处理：已了结", f"Nothing: it is {letter.status}.")
    if letter.code == "conflict":
        return text(
            f"同一键下已存有另一内容，以先到者为准，重新入库也无法改变。接受：{discard}",
            "Another body is stored under this key and the first one wins; a re-drive cannot"
            f" change that. Accept it: {discard}",
        )
    if is_redrivable(letter):
        redrive = f"{command} redrive {letter.id}"
        return text(f"先消除原因，再执行：{redrive}", f"Mend the cause, then: {redrive}")
    if letter.readings:
        return text(
            f"没有监测类别 {letter.stream!r} 的定义：请先添加，或保存数据：{show}",
            f"No stream {letter.stream!r} is declared: declare it, or save the readings: {show}",
        )
    if letter.code == "schema_version":
        redrive = f"{command} redrive {letter.id}"
        return text(
            f"帧的结构版本 {letter.dataschema!r} 未知：先部署认识它的版本，再执行：{redrive}",
            f"Frames of {letter.dataschema!r} are not known here: deploy the version that"
            f" declares it, then: {redrive}",
        )
    if letter.payload_bytes:
        return text(
            f"只存有原始字节，没有数据。保存：{show}；修正后发给网关，再执行：{discard}",
            f"It keeps raw bytes and no readings. Save them: {show}; mend them, post them to the"
            f" gateway, then: {discard}",
        )
    return text(
        f"没有内容，只有原因。弄清之后执行：{discard}",
        f"It keeps no content, only the reason. Once understood: {discard}",
    )
