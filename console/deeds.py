"""One act of a person on a page: allowed, done and written down together, or told why not."""

from collections.abc import Callable
from typing import Any, TypeVar

from nicegui import ui
from psycopg import Connection

from console.frame import View
from console.mistakes import mistake
from console.roles import Principal, Role
from storage.audit import record

T = TypeVar("T")
Deed = Callable[[Connection, str], T]


async def do(
    view: View, what: str, target: str, deed: Deed[T], *, role: Role = Role.OPERATOR, **detail: Any
) -> T | bool:
    """Do ``deed(conn, who)`` with its record in the audit log; False when nothing was done.

    An empty ``what`` is for a deed that writes its own record.
    """

    def work(conn: Connection, who: Principal) -> T | bool:
        done = deed(conn, who.name)
        if what and done is not False:
            record(conn, who.name, what, target, **detail)
        return True if done is None else done

    try:
        done = await view.act(role, work)
    except ValueError as error:
        ui.notify(
            view.words("app.not_done", why=mistake(view.words, error)),
            type="warning",
            multi_line=True,
        )
        return False
    view.desk.live.poke()
    return False if done is None else done
