"""One line into the audit log, for every room that has one to tell; the log: storage/audit.py."""

from psycopg import Connection
from psycopg.types.json import Jsonb

from service.source import source_address


def record(
    conn: Connection,
    who: str,
    what: str,
    target: str = "",
    result: str = "ok",
    **detail: object,
) -> None:
    """Append one act in the caller's transaction: act and record stand or fall together.

    The address that the call came from is part of it.
    """
    if address := source_address():
        detail.setdefault("address", address)
    conn.execute(
        "INSERT INTO audit (who, what, target, result, detail) VALUES (%s, %s, %s, %s, %s)",
        [who, what, target, result, Jsonb(detail)],
    )
