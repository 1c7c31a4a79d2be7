"""Filters that a person has saved for a list: one press brings the list back as it was."""

from urllib.parse import urlencode

from nicegui import ui
from psycopg import Connection

from console.frame import View
from console.widgets.forms import act_button, text_field

MOST = 20
"""So many a person keeps for one list; the oldest gives way."""
LONGEST = 40


async def saved_filters(view: View, path: str, chosen: dict[str, str]) -> None:
    """Show the person's own filters of the list at ``path``, and save what is chosen now."""
    if view.who.anonymous:
        return
    words, who = view.words, view.who.name
    found = await view.ask(lambda conn: read_filters(conn, who, path))
    query = urlencode({name: value for name, value in chosen.items() if value})
    row = ui.element("div").classes("saved")

    async def keep() -> None:
        title = (name.value or "").strip()[:LONGEST]
        if not title:
            ui.notify(words("saved.name_needed"), type="warning")
            return
        if await view.act(
            view.who.role, lambda conn, _: keep_filter(conn, who, path, title, query)
        ):
            ui.navigate.reload()

    async def drop(title: str) -> None:
        if await view.act(view.who.role, lambda conn, _: drop_filter(conn, who, path, title)):
            ui.navigate.reload()

    with row:
        for title, address in found:
            with ui.element("span").classes("chip"):
                ui.link(f"★ {title}", f"{path}?{address}")
                ui.button("×", on_click=lambda _, t=title: drop(t), color=None).props(
                    f'flat dense aria-label="{words("saved.drop")}"'
                ).classes("plain")
        with ui.element("details"):
            with ui.element("summary"):
                ui.html(words("saved.keep"), sanitize=False, tag="span")
            name = text_field(words("saved.name"), most=LONGEST)
            act_button(words("receivers.save"), keep)


def read_filters(conn: Connection, who: str, path: str) -> list[tuple[str, str]]:
    """Return (title, query) of a person's filters of a list, by title."""
    return conn.execute(
        "SELECT title, query FROM console_filters WHERE name = %s AND path = %s ORDER BY title",
        [who, path],
    ).fetchall()


def keep_filter(conn: Connection, who: str, path: str, title: str, query: str) -> bool:
    """Save a filter; one of the same title is replaced, the oldest beyond ``MOST`` goes."""
    conn.execute(
        "INSERT INTO console_filters (name, path, title, query) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (name, path, title) DO UPDATE SET query = excluded.query, saved_at = now()",
        [who, path, title, query],
    )
    conn.execute(
        "DELETE FROM console_filters f USING (SELECT title FROM console_filters"
        " WHERE name = %(who)s AND path = %(path)s ORDER BY saved_at DESC OFFSET %(most)s) old"
        " WHERE f.name = %(who)s AND f.path = %(path)s AND f.title = old.title",
        {"who": who, "path": path, "most": MOST},
    )
    return True


def drop_filter(conn: Connection, who: str, path: str, title: str) -> bool:
    """Take a filter away."""
    conn.execute(
        "DELETE FROM console_filters WHERE name = %s AND path = %s AND title = %s",
        [who, path, title],
    )
    return True
