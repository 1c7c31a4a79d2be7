"""People who may log in, for administrators: role, last seen, a screen or shut out."""

from typing import Any

from nicegui import ui
from psycopg import Connection
from psycopg.rows import dict_row

from console.frame import Page, View, keep_fresh, panel
from console.roles import Role
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools

PEOPLE = (
    "SELECT u.name, u.role, u.created_at, u.disabled_at, u.screen,"
    " max(s.seen_at) AS seen_at, count(s.name) AS sessions FROM console_users u"
    " LEFT JOIN console_sessions s ON s.name = u.name"
    " GROUP BY u.name ORDER BY u.disabled_at IS NOT NULL, u.name"
)


async def users(view: View) -> None:
    """Show who may log in, as what, and when they were last here."""
    words = view.words
    with panel(words("users.title"), "list") as side:
        table = Table(
            [
                Column("name", words("login.name")),
                Column("role", words("users.role")),
                Column("state", words("users.state")),
                Column("seen", words("users.seen"), "time"),
                Column("sessions", words("users.sessions"), "number", hide=True),
                Column("created", words("users.created"), "time", hide=True),
            ],
            label=words("users.title"),
            empty=words("app.nothing"),
        )
        list_tools(words, side, table)
    ui.label(words("users.how")).classes("advice")

    async def read() -> None:
        found = await view.ask(_read)
        table.show([_row(view, row) for row in found])

    await read()
    keep_fresh(view, read)


def _read(conn: Connection) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(PEOPLE).fetchall()


def _row(view: View, row: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    state = "off" if row["disabled_at"] else "screen" if row["screen"] else "on"
    return {
        "id": row["name"],
        "name": row["name"],
        "role": words(f"role.{row['role']}"),
        "state": words(f"users.state_{state}"),
        "seen": row["seen_at"].isoformat() if row["seen_at"] else None,
        "sessions": {"text": str(row["sessions"]), "unit": "", "sort": row["sessions"]},
        "created": row["created_at"].isoformat(),
    }


PAGE = Page("/users", "users.title", users, place=11, role=Role.ADMIN)
