"""Receivers: who is told. From a TOML file, or added by hand."""

import base64
import secrets
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import Connection
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from service.errors import FatalError


class Receiver(BaseModel):
    """One webhook address. ``min_severity`` 1 (red only) to 4 (all); no ``domains`` = all."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    url: str
    secret: SecretStr | None = None
    secret_file: Path | None = None
    min_severity: int = Field(default=4, ge=1, le=4)
    domains: list[str] = []

    def signing_secret(self) -> str:
        """Return the given secret, or a new one; ``whsec_`` and base64 of 32 bytes."""
        if self.secret_file is not None:
            return self.secret_file.read_text().strip()
        return self.secret.get_secret_value() if self.secret else new_secret()


class ReceiversFile(BaseModel):
    """``[[receivers]]`` tables of a TOML file."""

    model_config = ConfigDict(extra="forbid")

    receivers: list[Receiver] = []


def new_secret() -> str:
    """Return a fresh signing secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def check_url(url: str, hosts: list[str]) -> None:
    """Raise ValueError unless the address is plain http(s) to an allowed host."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("the address must begin with http:// or https://")
    if parts.username or parts.password:
        raise ValueError("the address must not hold a user or password")
    if parts.hostname not in hosts:
        raise ValueError(f"host {parts.hostname!r} is not in CITYOPS_WEBHOOK_HOSTS")


def read_file(path: Path) -> list[Receiver]:
    """Return the receivers of a TOML file; ``FatalError`` that says what is wrong with it."""
    try:
        return ReceiversFile.model_validate(tomllib.loads(path.read_text())).receivers
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise FatalError(f"{path.name}: {error}", code="receivers", stage="delivering") from error


def register(conn: Connection, receiver: Receiver, hosts: list[str], origin: str) -> str:
    """Store a receiver, or change the one of that name; return its secret."""
    check_url(receiver.url, hosts)
    secret = receiver.signing_secret()
    conn.execute(
        "INSERT INTO receivers (name, url, secret, min_severity, domains, origin)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET url = excluded.url,"
        " secret = excluded.secret, min_severity = excluded.min_severity,"
        " domains = excluded.domains, origin = excluded.origin",
        [receiver.name, receiver.url, secret, receiver.min_severity, receiver.domains, origin],
    )
    return secret
