"""Receivers: who is told. From a TOML file or added by hand; secrets are sealed, never shown."""

import base64
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from psycopg import Connection
from psycopg.rows import dict_row
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from alerts.delivery.guard import Guard, hide
from alerts.delivery.outbox import lock_writers
from alerts.delivery.vault import Vault
from alerts.event.events import Format
from alerts.wake import wake_delivery
from catalog.errors import ConflictError, NotFoundError
from catalog.registry import systems
from catalog.rules import Concern

ROBOTS = ("wecom", "dingtalk")
ROTATION = timedelta(hours=24)
WHSEC = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")


def _known_domains(domains: list[str]) -> list[str]:
    if unknown := set(domains) - set(systems()):
        raise ValueError(f"no domain {sorted(unknown)}; known: {', '.join(systems())}")
    return domains


Domains = Annotated[list[str], AfterValidator(_known_domains)]
Concerns = Annotated[list[Concern], Field(min_length=1)]
Level = Annotated[int, Field(ge=1, le=4)]
Url = Annotated[str, Field(max_length=2000)]


class ReceiverDraft(BaseModel):
    """One webhook address. ``min_severity`` 1 (red only) to 4 (all); no ``domains`` = all.

    ``concerns`` ``city``: what the city has to know; ``maintenance``: sensors silent or unwell.

    ``channel`` ``exercise`` marks a receiver of drills; ``routed`` false keeps it out of ``*`` in
    the routes file (e.g. one that is only a fallback or an escalation target).
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    url: Url
    format: Format = "cityops"
    channel: Literal["actual", "exercise"] = "actual"
    secret: SecretStr | None = None
    min_severity: Level = 4
    domains: Domains = []
    concerns: Concerns = ["city"]
    routed: bool = True

    @field_validator("secret")
    @classmethod
    def _signs(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret and info.data.get("format") not in ROBOTS:
            check_secret(secret.get_secret_value())
        return secret


class Receiver(ReceiverDraft):
    """A receiver of the receivers file or of the command line: its secret may lie in a file."""

    secret_file: Path | None = None

    def signing_secret(self) -> str:
        """Return the given secret, or a new one; ``whsec_`` and base64 of 32 bytes."""
        if self.secret_file is not None:
            return self.secret_file.read_text().strip()
        if self.secret is None and self.format in ROBOTS:
            return ""
        return self.secret.get_secret_value() if self.secret else new_secret()


class ReceiverChange(BaseModel):
    """What may change; absent = stays. Format and channel stay: make another receiver."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    min_severity: Level | None = None
    domains: Domains | None = None
    concerns: Concerns | None = None
    routed: bool | None = None
    enabled: bool | None = None


class ReceiverView(BaseModel):
    """A receiver as it may be shown: no secret, no query of its address."""

    id: int
    name: str
    url: str
    format: Format
    channel: Literal["actual", "exercise"]
    min_severity: int
    domains: list[str]
    concerns: list[Concern]
    routed: bool
    enabled: bool
    disabled_reason: str | None
    origin: str
    last_seq: int
    rotating_until: datetime | None
    waiting: int
    oldest_waiting_s: float | None
    failed: int
    last_delivered_at: datetime | None
    last_error: str | None


def new_secret() -> str:
    """Return a fresh signing secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Raise ValueError unless it is a Standard Webhooks secret of 24 to 64 bytes."""
    if not WHSEC.fullmatch(secret):
        raise ValueError("a secret is whsec_ and the base64 of 24 to 64 random bytes")


def register(conn: Connection, receiver: Receiver, guard: Guard, vault: Vault, origin: str) -> str:
    """Store a receiver, or change the one of that name; return its secret.

    Without a secret of its own a known receiver keeps the one it has. ``channel`` never changes
    once messages exist: their key holds it.
    """
    guard.check(receiver.url)
    given = receiver.secret is not None or receiver.secret_file is not None
    kept = None if given else _secret_of(conn, receiver.name, vault)
    secret = kept if kept is not None else receiver.signing_secret()
    if receiver.format not in ROBOTS:
        check_secret(secret)
    conn.execute(
        "INSERT INTO receivers (name, url, secret, min_severity, domains, origin, format, channel,"
        " routed, concerns) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE"
        " SET url = excluded.url, secret = excluded.secret, format = excluded.format,"
        " min_severity = excluded.min_severity, domains = excluded.domains,"
        " origin = excluded.origin, channel = excluded.channel, routed = excluded.routed,"
        " concerns = excluded.concerns, updated_at = clock_timestamp()",
        [
            *(receiver.name, receiver.url, vault.seal(secret), receiver.min_severity),
            *(receiver.domains, origin, receiver.format, receiver.channel, receiver.routed),
            receiver.concerns,
        ],
    )
    return secret


def create(conn: Connection, draft: ReceiverDraft, guard: Guard, vault: Vault) -> str:
    """Store a new receiver; return its secret. ``ConflictError`` when the name is taken."""
    with conn.transaction():
        lock_writers(conn)
        if _origin_of(conn, draft.name):
            raise ConflictError(f"receiver {draft.name!r} exists: change it, or take another name")
        given = draft.model_dump(exclude_unset=True)
        secret = register(conn, Receiver.model_validate(given), guard, vault, "api")
        wake_delivery(conn)
    return secret


def change(conn: Connection, name: str, wanted: ReceiverChange, guard: Guard) -> None:
    """Change a receiver; ``ConflictError`` for what only its file may say."""
    given = wanted.model_dump(exclude_none=True)
    origin = _origin_of(conn, name)
    if origin is None:
        raise NotFoundError(f"no receiver {name!r}")
    if origin == "file" and given.keys() - {"enabled"}:
        raise ConflictError(f"receiver {name!r} stands in the receivers file: change it there")
    if wanted.url is not None:
        guard.check(wanted.url)
    with conn.transaction():
        if wanted.enabled is not None:
            switch(conn, name, wanted.enabled)
        columns = ("url", "min_severity", "domains", "concerns", "routed")
        sets = "".join(f"{c} = coalesce(%({c})s, {c}), " for c in columns)
        conn.execute(
            f"UPDATE receivers SET {sets} updated_at = clock_timestamp()"
            " WHERE name = %(name)s".encode(),
            wanted.model_dump() | {"name": name},
        )
        wake_delivery(conn)


def rotate_secret(conn: Connection, name: str, vault: Vault, now: datetime) -> str:
    """Give a receiver a new secret; for a day messages are signed with the old one as well."""
    secret = new_secret()
    done = conn.execute(
        "UPDATE receivers SET previous_secret = secret, previous_until = %s, secret = %s,"
        " updated_at = clock_timestamp() WHERE name = %s AND format <> ALL(%s)",
        [now + ROTATION, vault.seal(secret), name, list(ROBOTS)],
    )
    if done.rowcount == 0:
        raise NotFoundError(f"no receiver {name!r} that signs with a whsec_ secret")
    return secret


def switch(conn: Connection, name: str, enabled: bool, reason: str = "") -> None:
    """Switch a receiver on or off; what waits for it is kept."""
    done = conn.execute(
        "UPDATE receivers SET enabled = %s, disabled_reason = nullif(%s, ''),"
        " updated_at = clock_timestamp() WHERE name = %s",
        [enabled, "" if enabled else reason or "switched off", name],
    )
    if done.rowcount == 0:
        raise NotFoundError(f"no receiver {name!r}")
    wake_delivery(conn)


def remove(conn: Connection, name: str, routed_to: Collection[str]) -> int:
    """Remove a receiver with its messages and their log; return how many were not delivered.

    ``ConflictError`` while a file names it: one of the receivers file would come back at the next
    start, and without one that the routes file names the engine would not start.
    """
    if _origin_of(conn, name) == "file":
        raise ConflictError(f"receiver {name!r} stands in the receivers file: remove it there")
    if name in routed_to:
        raise ConflictError(f"the routes file names receiver {name!r}: take it out there first")
    waiting = get_receiver(conn, name).waiting
    with conn.transaction():
        lock_writers(conn)
        conn.execute("DELETE FROM receivers WHERE name = %s", [name])
        wake_delivery(conn)
    return waiting


def list_receivers(conn: Connection) -> list[ReceiverView]:
    """Return every receiver with what waits for it, by name."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_VIEW).fetchall()
    return [ReceiverView.model_validate(row | {"url": hide(row["url"])}) for row in rows]


def get_receiver(conn: Connection, name: str) -> ReceiverView:
    """Return one receiver; NotFoundError when there is none."""
    found = next((r for r in list_receivers(conn) if r.name == name), None)
    if found is None:
        raise NotFoundError(f"no receiver {name!r}")
    return found


def seal_all(conn: Connection, vault: Vault) -> int:
    """Seal secrets that were stored in clear by an earlier version; return how many."""
    rows = conn.execute(
        "SELECT id, secret FROM receivers WHERE secret NOT LIKE 'fernet:%'"
    ).fetchall()
    for receiver, secret in rows:
        conn.execute(
            "UPDATE receivers SET secret = %s WHERE id = %s", [vault.seal(secret), receiver]
        )
    return len(rows)


def _origin_of(conn: Connection, name: str) -> str | None:
    row = conn.execute("SELECT origin FROM receivers WHERE name = %s", [name]).fetchone()
    return row[0] if row else None


def _secret_of(conn: Connection, name: str, vault: Vault) -> str | None:
    row = conn.execute("SELECT secret FROM receivers WHERE name = %s", [name]).fetchone()
    return vault.open(row[0]) if row else None


_VIEW = """
SELECT r.id, r.name, r.url, r.format, r.channel, r.min_severity, r.domains, r.concerns,
       r.routed, r.enabled,       r.disabled_reason, r.origin, r.last_seq,
       CASE WHEN r.previous_until > clock_timestamp() THEN r.previous_until END AS rotating_until,
       w.waiting, w.oldest_waiting_s, w.failed, w.last_delivered_at, w.last_error
FROM receivers r CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE delivered_at IS NULL AND failed_at IS NULL) AS waiting,
           extract(epoch FROM clock_timestamp() - min(created_at)
               FILTER (WHERE delivered_at IS NULL AND failed_at IS NULL))::float8
               AS oldest_waiting_s,
           count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
           max(delivered_at) AS last_delivered_at,
           (array_agg(last_error ORDER BY receiver_seq)
               FILTER (WHERE delivered_at IS NULL AND last_error IS NOT NULL))[1] AS last_error
    FROM outbox WHERE receiver = r.id) w
ORDER BY r.name
"""
