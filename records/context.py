"""Who acts, with which rights, through which door, by which clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import Connection

from catalog.lifecycle.fields import Values
from catalog.lifecycle.record import ANYONE, ENGINE, Record
from service.postgres import now_of

Via = Literal["api", "page", "shell", "link", "public", "engine"]
HELD = ("viewer", "operator", "admin")


@dataclass(frozen=True, slots=True)
class Grant:
    """A duty in a system that was given to somebody, maybe for one scope only."""

    system: str
    role: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What an act carries along.

    ``level`` is the console's role of the actor; empty for the public and the engine.
    """

    conn: Connection
    actor: str
    via: Via
    level: str = ""
    grants: tuple[Grant, ...] = ()
    now: Callable[[Connection], datetime] = now_of

    def role(self, record: Record, roles: tuple[str, ...], fields: Values) -> str | None:
        """Return the first of ``roles`` that the actor has for a record with these fields."""
        return next((role for role in roles if self._has(record, role, fields)), None)

    def may_ever(self, record: Record, roles: tuple[str, ...]) -> bool:
        """Tell whether the actor has one of ``roles`` for some record, if not for each."""
        if self.role(record, roles, {}):
            return True
        return any(g.system == record.system and g.role in roles for g in self.grants)

    def _has(self, record: Record, name: str, fields: Values) -> bool:
        if name == ENGINE:
            return self.via == "engine"
        if name == ANYONE:
            return self.via == "public"
        role = record.role(name)
        if role is None:
            return False
        if role.held_by in HELD[: HELD.index(self.level) + 1] if self.level in HELD else ():
            return True
        mine = [g for g in self.grants if (g.system, g.role) == (record.system, name)]
        return any(
            not g.scope or (bool(role.scope) and fields.get(role.scope) == g.scope) for g in mine
        )


def grants_of(conn: Connection, who: str) -> tuple[Grant, ...]:
    """Return what somebody was given."""
    rows = conn.execute(
        "SELECT system, role, scope FROM record_grants WHERE who = %s ORDER BY 1, 2, 3", [who]
    ).fetchall()
    return tuple(Grant(*row) for row in rows)
