"""Acts by shell: nobody is logged in there, so the audit log says whose shell it was."""

import getpass
import os
from typing import Any

from psycopg import Connection

from storage.audit import record


def shell_user() -> str:
    """Return who types, for the record; a container's user may have a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def record_by_shell(
    conn: Connection,
    what: str,
    target: str = "",
    result: str = "ok",
    *,
    by: str = "",
    **detail: Any,
) -> None:
    """Append an act by shell to the audit log, in the caller's transaction."""
    who = shell_user()
    record(conn, by or who, what, target, result, via=f"shell of {who}", **detail)
