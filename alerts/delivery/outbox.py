"""What is owed to receivers: messages with a stable id and a gapless number per receiver."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from alerts.delivery.formats import cap, render
from alerts.delivery.formats.message import Message
from alerts.delivery.links import Links
from alerts.event.events import Event, Format
from alerts.wake import CHANNEL

MOST_REFERENCES = 20
WRITER_LOCK = 0x616C6572  # "aler": one transaction at a time decides what is told


@dataclass(frozen=True, slots=True)
class Address:
    """What routing needs to know of a receiver."""

    id: int
    name: str
    format: Format
    channel: str
    min_severity: int
    domains: list[str]
    concerns: list[str]
    routed: bool

    def wants(self, event: Event) -> bool:
        """Tell whether its own filter lets the event through."""
        domain = event.labels.get("domain", "")
        if event.labels.get("concern", "city") not in self.concerns:
            return False
        return event.severity <= self.min_severity and (not self.domains or domain in self.domains)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to be put into the outbox; ``key`` makes its id, the same on every attempt."""

    to: Address
    key: str
    events: tuple[Event, ...]
    group: str = ""
    channel: str = ""
    drill: int | None = None


def message_id(receiver: int, key: str) -> str:
    """Return the ``webhook-id`` that every attempt to tell this receiver of ``key`` carries."""
    return "msg_" + hashlib.sha256(f"{receiver}|{key}".encode()).hexdigest()[:27]


def lock_writers(conn: Connection) -> None:
    """Wait until no other transaction decides what is told; held until this one ends."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])


def load_addresses(conn: Connection) -> dict[str, Address]:
    """Return the enabled receivers by name."""
    query = (
        "SELECT id, name, format, channel, min_severity, domains, concerns, routed FROM receivers"
        " WHERE enabled ORDER BY id"
    )
    with conn.cursor(row_factory=class_row(Address)) as cursor:
        return {a.name: a for a in cursor.execute(query).fetchall()}


def put(conn: Connection, letters: Sequence[Letter], links: Links, now: datetime) -> list[str]:
    """Number, render and store messages, in order per receiver; return their ids."""
    receivers = sorted({letter.to.id for letter in letters})
    rows: list[list[object]] = []
    subjects: list[list[object]] = []
    earlier = _earlier(conn, letters)
    for receiver in receivers:
        mine = [letter for letter in letters if letter.to.id == receiver]
        first = _reserve(conn, receiver, len(mine))
        rows += [
            _row(letter, first + n, links, now, earlier(letter)) for n, letter in enumerate(mine)
        ]
        subjects += [row for letter in mine for row in _subjects(letter)]
    if rows:
        with conn.cursor() as cursor:
            cursor.executemany(_INSERT, rows)
            cursor.executemany(_INSERT_SUBJECT, subjects)
        conn.execute(f"NOTIFY {CHANNEL}".encode())
    return [str(row[0]) for row in rows]


def _reserve(conn: Connection, receiver: int, count: int) -> int:
    """Return the first of ``count`` numbers; the row stays locked, so numbers follow commits."""
    row = conn.execute(
        "UPDATE receivers SET last_seq = last_seq + %s WHERE id = %s RETURNING last_seq",
        [count, receiver],
    ).fetchone()
    if row is None:
        raise LookupError(f"no receiver {receiver}")
    return row[0] - count + 1


_INSERT = (
    "INSERT INTO outbox (id, receiver, receiver_seq, channel, episode, transition, incident, kind,"
    " body, content_type, events, headline, observed_at, produced_at, drill)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_INSERT_SUBJECT = (
    "INSERT INTO outbox_subjects (outbox, position, subject, kind) VALUES (%s, %s, %s, %s)"
)


def _earlier(conn: Connection, letters: Sequence[Letter]) -> Callable[[Letter], tuple[str, ...]]:
    """Return what tells which messages a CAP message follows; other formats name none."""
    asked = [letter for letter in letters if letter.to.format == "cap"]
    if not asked:
        return lambda _: ()
    subjects = list({event.subject for letter in asked for event in letter.events})
    rows = conn.execute(_EARLIER, [[letter.to.id for letter in asked], subjects]).fetchall()

    def of(letter: Letter) -> tuple[str, ...]:
        mine = {event.subject for event in letter.events}
        found = [
            cap.reference(message, sent)
            for receiver, subject, message, sent in rows
            if receiver == letter.to.id and subject in mine
        ]
        return tuple(dict.fromkeys(found))[-MOST_REFERENCES:]

    return of


_EARLIER = """
SELECT o.receiver, s.subject, o.id, substring(o.body FROM '<sent>([^<]+)</sent>')
FROM outbox o JOIN outbox_subjects s ON s.outbox = o.id
WHERE o.receiver = ANY(%s) AND s.subject = ANY(%s) AND o.content_type = 'application/cap+xml'
ORDER BY o.receiver_seq
"""


def _subjects(letter: Letter) -> list[list[object]]:
    ours = message_id(letter.to.id, letter.key)
    return [[ours, n, event.subject, event.kind] for n, event in enumerate(letter.events)]


def _row(
    letter: Letter, seq: int, links: Links, now: datetime, earlier: tuple[str, ...]
) -> list[object]:
    to, lead = letter.to, letter.events[0]
    ours = message_id(to.id, letter.key)
    message = Message(ours, to.name, seq, letter.events, letter.group, links, now, earlier)
    sealed = render(to.format, message)
    single = len(letter.events) == 1
    alert = lead.type.startswith("alert.")
    incident = lead.subject if lead.type.startswith("incident.") else None
    return [
        *(ours, to.id, seq, letter.channel or to.channel),
        *(lead.subject if single and alert else None, lead.data.get("id") if single else None),
        *(incident, lead.kind if single else "grouped", sealed.body, sealed.content_type),
        *(len(letter.events), headline(letter.events), lead.at, lead.produced_at),
        letter.drill,
    ]


def headline(events: Sequence[Event]) -> str:
    """Return one line for the delivery log: what, where, and how many more."""
    lead = events[0]
    more = f" +{len(events) - 1}" if len(events) > 1 else ""
    return f"{lead.title_zh} {lead.kind_zh} · {lead.where('zh')}{more}"
