"""Processes under test have the database role they have in the platform, not the owner's."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.plan import processes
from storage.roles import ROLES, role_of

ROLE_PASSWORD = "test-only"


def as_process(dsn: str, arguments: tuple[str, ...]) -> str:
    """Return the address at which `python -m *arguments` is its own role.

    It stays as it is where that server has no such role, and for commands that are no process.
    """
    known = {process.command[2:]: process.name for process in processes()}
    name = known.get(arguments, "")
    if name not in ROLES:
        return dsn
    own = make_conninfo(dsn, user=role_of(name), password=ROLE_PASSWORD)
    try:
        psycopg.connect(own, connect_timeout=2).close()
    except psycopg.Error:
        return dsn
    return own
