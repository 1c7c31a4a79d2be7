"""Who a process is to Kafka: user and password of SASL by the environment, or nobody.

| variable | |
|---|---|
| `CITYOPS_KAFKA_USER` | name; without one the broker is asked as nobody |
| `CITYOPS_KAFKA_PASSWORD`, `…_PASSWORD_FILE` | its password, or the file that holds it |
| `CITYOPS_KAFKA_MECHANISM` | `SCRAM-SHA-512` (default), `SCRAM-SHA-256` or `PLAIN` |
| `CITYOPS_KAFKA_CA` | file of the certificates that a broker behind TLS is known by |
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "CITYOPS_KAFKA_"
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password, and the certificate that the broker must show; empty = none."""

    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = MECHANISMS[0]
    ca: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Login":
        """Return the login that an environment names; ValueError when it cannot be one."""
        given = {name: environment.get(PREFIX + name, "") for name in ("USER", "MECHANISM", "CA")}
        mechanism = given["MECHANISM"] or MECHANISMS[0]
        if mechanism not in MECHANISMS:
            raise ValueError(f"{PREFIX}MECHANISM is one of {', '.join(MECHANISMS)}")
        if not given["USER"]:
            return cls(ca=given["CA"])
        password = environment.get(f"{PREFIX}PASSWORD", "")
        if file := environment.get(f"{PREFIX}PASSWORD_FILE"):
            password = Path(file).read_text().strip()
        return cls(given["USER"], password, mechanism, given["CA"])

    def tls(self) -> ssl.SSLContext | None:
        """Return how the broker's certificate is checked; None on a line without TLS."""
        return ssl.create_default_context(cafile=self.ca) if self.ca else None

    def options(self) -> dict[str, Any]:
        """Return the arguments that clients of kafka-python and aiokafka take alike."""
        kind = "SSL" if self.ca else "PLAINTEXT"
        line = {"ssl_context": self.tls()} if self.ca else {}
        if not self.user:
            return {"security_protocol": kind, **line} if self.ca else {}
        return {
            "security_protocol": f"SASL_{kind}",
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
            **line,
        }


OPEN = Login()
"""No name: for a broker that asks for none."""


def login() -> Login:
    """Return who this process is."""
    return Login.of(os.environ)
